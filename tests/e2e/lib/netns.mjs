// SPDX-License-Identifier: Apache-2.0
//
// Machines of their own for nodes: a network namespace each, joined by a bridge in one more. Nothing outside of them is
// touched; they end with the processes that hold them. Root only.

import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { eventually, MESH_PATIENCE, newSecret } from './mesh.mjs'
import { request } from './http.mjs'

const BIN = path.resolve(process.env.GHMESH_BIN ?? fileURLToPath(new URL('../../../build/dev/ghmesh', import.meta.url)))
const RELAY = fileURLToPath(new URL('netns-relay.mjs', import.meta.url))

// Why there can be none here; '' if there can.
export function whyNoNamespaces () {
  if (process.getuid() !== 0) return 'network namespaces need root'
  try {
    execFileSync('unshare', ['-n', 'ip', 'link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1'], { stdio: 'ignore' })
    execFileSync('unshare', ['-n', 'ip', 'link', 'add', 'br0', 'type', 'bridge'], { stdio: 'ignore' })
    return ''
  } catch {
    return 'no veth or bridge to be had here'
  }
}

export class Lan {
  constructor (scratch, upstreamSocket) {
    Object.assign(this, { scratch, upstreamSocket, secret: newSecret(), hosts: [] })
    this.hub = this.hold('hub')
  }

  static async make (scratch, upstreamSocket) {
    const lan = new Lan(scratch, upstreamSocket)
    await lan.separate(lan.hub)
    lan.in(lan.hub, 'ip', 'link', 'add', 'br0', 'type', 'bridge')
    lan.in(lan.hub, 'ip', 'link', 'set', 'br0', 'up')
    return lan
  }

  hold (name) { return this.scratch.start(`ns-${name}`, 'unshare', ['-n', 'sleep', '600']).pid }
  // The process is in its namespace only once unshare has run.
  separate (pid) {
    const ours = fs.readlinkSync('/proc/self/ns/net')
    return eventually(() => fs.readlinkSync(`/proc/${pid}/ns/net`) === ours ? 'not yet' : '', 'a namespace')
  }

  in (pid, ...words) { return execFileSync('nsenter', ['-t', String(pid), '-n', ...words]).toString() }

  async addNode () {
    const n = this.hosts.length + 1
    const host = { n, ip: `10.77.0.${n}`, pid: this.hold(n) }
    await this.separate(host.pid)
    this.in(this.hub, 'ip', 'link', 'add', `v${n}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(host.pid))
    this.in(this.hub, 'ip', 'link', 'set', `v${n}`, 'master', 'br0', 'up')
    this.in(host.pid, 'ip', 'link', 'set', 'lo', 'up')
    this.in(host.pid, 'ip', 'addr', 'add', `${host.ip}/24`, 'dev', 'eth0')
    this.in(host.pid, 'ip', 'link', 'set', 'eth0', 'up')
    this.scratch.start(`relay-${n}`, 'nsenter', ['-t', String(host.pid), '-n', process.execPath, RELAY, '7000', this.upstreamSocket])
    const readyFile = this.scratch.file(`host-${n}.ready.json`)
    const socket = this.scratch.file(`host-${n}.sock`)
    const contacts = this.hosts.slice(0, 1).flatMap(first => ['--bootstrap', `/ip4/${first.ip}/tcp/9100`])
    host.child = this.scratch.start(`host-${n}`, 'nsenter', ['-t', String(host.pid), '-n', BIN, 'serve', '--upstream', 'http://127.0.0.1:7000',
      '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--socket', socket, '--cache-dir', 'none', '--mdns', 'off', '--p2p-listen', '/ip4/0.0.0.0/tcp/9100',
      '--announce', `/ip4/${host.ip}/tcp/9100`, '--mesh-patience', MESH_PATIENCE, '--ready-file', readyFile, '--log-level', 'debug', ...contacts], { env: { GHMESH_SECRET: this.secret } })
    await eventually(() => fs.existsSync(readyFile) ? '' : 'not ready', `node ${n}`)
    host.ready = JSON.parse(fs.readFileSync(readyFile))
    host.ask = (target, token) => request('http://127.0.0.1', target, { token, socket, headers: { host: 'api.github.com' } })
    host.peers = () => JSON.parse(this.in(host.pid, BIN, 'peers', '--json', '--ready-file', readyFile))
    host.holders = (target, token) => JSON.parse(execFileSync('nsenter', ['-t', String(host.pid), '-n', BIN, 'explain', '--json', '--ready-file', readyFile, target],
      { env: { ...process.env, GH_TOKEN: token } })).holders.split(', ').map(name => name === 'this node' ? host : this.hosts.find(each => each.ready.peer_id === name))
    this.hosts.push(host)
    return host
  }

  cut (host, off) { this.in(this.hub, 'ip', 'link', 'set', `v${host.n}`, off ? 'down' : 'up') }
  // Two that cannot talk to each other, while everybody else can talk to both.
  part (a, b) {
    for (const [one, other] of [[a, b], [b, a]]) this.in(one.pid, 'ip', 'route', 'add', 'blackhole', `${other.ip}/32`)
  }

  alive (host) { return host.peers().peers.filter(peer => peer.state === 'alive' && peer.role === 'owner').length }
  // Everybody names the same members, in the same order, for each of the paths.
  agreed (paths, token) {
    return eventually(() => paths.find(path => new Set(this.hosts.map(host => host.holders(path, token).map(each => each.n).join())).size > 1) ?? '', 'who answers for what', 60_000)
  }
  formed (count = this.hosts.length - 1, hosts = this.hosts) {
    return eventually(() => hosts.map(host => this.alive(host)).find(seen => seen !== count) === undefined ? '' : 'not all know all', 'the mesh did not form', 60_000)
  }
}
