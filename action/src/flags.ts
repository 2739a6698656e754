// SPDX-License-Identifier: Apache-2.0
//
// Inputs as flags of `ghmesh init`. An input that nobody gave is an empty text, and no flag.

import { FLAG_INPUTS } from './flag_names'

export function flagsOf (input: (name: string) => string, strict: boolean): string[] {
  const flags: string[] = []
  for (const name of FLAG_INPUTS) {
    const value = input(name).trim()
    if (value !== '') flags.push(`--${name}`, value)
  }
  if (strict) flags.push('--strict')
  return flags
}
