// SPDX-License-Identifier: Apache-2.0
//
// Numbers as people read them. "–" stands for what is not known.

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })

export const count = (value: number | null | undefined): string => value == null ? '–' : whole.format(value).replace('-', '−')

export function share (part: number, all: number): string {
  if (all <= 0) return '–'
  const percent = 100 * part / all
  // Nearly all is not all, and nearly nothing is not nothing.
  const shown = percent > 99 && percent < 100 ? Math.floor(percent * 10) / 10 : percent > 0 && percent < 1 ? Math.ceil(percent * 10) / 10 : Math.round(percent)
  return `${shown} %`.replace('-', '−')
}

export function bytes (value: number): string {
  if (value < 1000) return `${value} B`
  const steps = ['kB', 'MB', 'GB', 'TB']
  let step = -1
  do { value /= 1000; ++step } while (value >= 999.5 && step < steps.length - 1)
  return `${short.format(value)} ${steps[step]}`
}

export function duration (seconds: number | null | undefined): string {
  if (seconds == null) return '–'
  if (seconds < 0.0009995) return `${short.format(Math.max(seconds * 1e6, 0))} µs`
  if (seconds < 0.9995) return `${short.format(seconds * 1000)} ms`
  if (seconds < 60) return `${short.format(seconds)} s`
  return span(seconds)
}

// 24:10, or 1:02:03; for countdowns and uptime.
export function span (seconds: number): string {
  const rest = Math.max(0, Math.round(seconds))
  const two = (value: number): string => String(value).padStart(2, '0')
  const [hours, minutes] = [Math.floor(rest / 3600), Math.floor(rest / 60) % 60]
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest % 60)}` : `${minutes}:${two(rest % 60)}`
}

export const time = (milliseconds: number): string => clock.format(milliseconds)

// The end of a peer id tells members apart; its beginning is the same for all keys of a kind.
export const peerName = (id: string): string => id.length > 8 ? `…${id.slice(-6)}` : id
