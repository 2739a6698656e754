// SPDX-License-Identifier: Apache-2.0
// Preloaded into the suite's origin, which would listen on every interface.
const net = require('node:net')

const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (port, ...rest) {
  return listen.call(this, { port: Number(port), host: '127.0.0.1' }, ...rest)
}
