// SPDX-License-Identifier: Apache-2.0
//
// Written by action/inputs.mjs from the flags of ghmesh init.

export const FLAG_INPUTS = [
  'wait',
  'idle-limit',
  'config',
  'listen',
  'socket',
  'admin',
  'connect-policy',
  'ca-out',
  'tunnel-to',
  'resolve',
  'upstream',
  'upstream-ca',
  'reserve',
  'max-queue',
  'rewrite-links',
  'cache-dir',
  'memory-max',
  'disk-max',
  'freshness',
  'stale-if-error',
  'ttl',
  'proof',
  'p2p',
  'p2p-listen',
  'announce',
  'bootstrap',
  'registry',
  'mdns',
  'share',
  'secret-file',
  'identity',
  'log-level',
  'log-format'
] as const
