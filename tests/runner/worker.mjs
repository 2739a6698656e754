// SPDX-License-Identifier: Apache-2.0
//
// One job of a workflow, played as GitHub's runner plays it: a process named Runner.Worker, a step after the other in a
// shell of its own, environment files, GITHUB_* exported again before every step, masked logs, post steps in reverse
// order. Expressions are evaluated by GitHub's own evaluator. What is to be played comes as JSON on standard input, what
// came of it leaves as JSON on standard output. A container is not entered: its steps run on this machine.

import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { data, Evaluator, Lexer, Parser } from '@actions/expressions'
import { StringData } from '@actions/expressions/data/string'
import YAML from 'yaml'

process.title = 'Runner.Worker'
const here = path.dirname(fileURLToPath(import.meta.url))
const given = []
// Not by its descriptor at once, which has nothing to read yet on a busy machine.
for await (const piece of process.stdin) given.push(piece)
const spec = JSON.parse(Buffer.concat(given).toString())
const workflow = YAML.parse(fs.readFileSync(spec.workflow, 'utf8'))
const job = workflow.jobs[spec.job]
const temp = path.join(spec.dir, '_temp')
const commands = path.join(temp, '_runner_file_commands')
const workspace = path.join(spec.dir, 'workspace')
for (const dir of [commands, workspace, spec.home]) fs.mkdirSync(dir, { recursive: true })

const masks = new Set(Object.values(spec.secrets).concat(spec.token).filter(Boolean))
const masked = text => [...masks].reduce((out, secret) => out.replaceAll(secret, '***'), text)
const result = { conclusion: 'success', steps: [], warnings: [], log: '', summary: '', env: {} }
const fromSteps = {} // GITHUB_ENV
const pathsFromSteps = [] // GITHUB_PATH
const contexts = { steps: {} }
const posts = []

const toData = value => JSON.parse(JSON.stringify(value ?? null), data.reviver)
function evaluate (expression) {
  const github = {
    token: spec.token, repository: spec.repository, event_name: spec.event, sha: 'c0ffee'.padEnd(40, '0'), ref: 'refs/heads/main',
    workspace, api_url: 'https://api.github.com', server_url: 'https://github.com', run_id: String(spec.runId)
  }
  const all = {
    github, matrix: spec.matrix, secrets: spec.secrets, vars: spec.vars, env: { ...workflow.env, ...job.env, ...fromSteps },
    steps: contexts.steps, runner: { temp, os: 'Linux', name: spec.runnerName }, job: { status: result.conclusion }, inputs: {}
  }
  const status = name => ({
    name, minArgs: 0, maxArgs: 0, description: name,
    call: () => toData(name === 'always' ? true : name === 'cancelled' ? false : (result.conclusion === 'success') === (name === 'success'))
  })
  const functions = ['always', 'success', 'failure', 'cancelled'].map(status)
  const { tokens } = new Lexer(expression).lex()
  const parsed = new Parser(tokens, Object.keys(all), functions).parse()
  return new Evaluator(parsed, toData(all), new Map(functions.map(one => [one.name, one]))).evaluate()
}
// Text with ${{ … }} in it.
const expand = text => String(text ?? '').replaceAll(/\$\{\{(.*?)\}\}/gs, (_, expression) => evaluate(expression).coerceString())
const expandAll = (object = {}) => Object.fromEntries(Object.entries(object).map(([name, value]) => [name, expand(value)]))

function isWanted (condition) {
  const text = String(condition ?? 'success()').replace(/^\$\{\{(.*)\}\}$/s, '$1')
  const gated = /\b(always|success|failure|cancelled)\(\)/.test(text) ? text : `success() && (${text})`
  const value = evaluate(gated)
  return value instanceof StringData ? value.value !== '' : Boolean(value.value)
}

// NAME=VALUE and NAME<<DELIMITER, as the runner reads them; a broken file fails the step.
function entriesOf (file) {
  const out = {}
  const lines = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n') : []
  for (let i = 0; i < lines.length; ++i) {
    const heredoc = /^([^=]+?)<<(.+)$/.exec(lines[i])
    if (heredoc && !lines[i].slice(0, lines[i].indexOf('<<')).includes('=')) {
      const end = lines.indexOf(heredoc[2], i + 1)
      if (end < 0) throw new Error(`${heredoc[1]}: no line ${heredoc[2]} ends its value`)
      out[heredoc[1]] = lines.slice(i + 1, end).join('\n')
      i = end
    } else if (lines[i].includes('=')) {
      out[lines[i].slice(0, lines[i].indexOf('='))] = lines[i].slice(lines[i].indexOf('=') + 1)
    } else if (lines[i] !== '') {
      throw new Error(`not a line of an environment file: ${lines[i]}`)
    }
  }
  return out
}

let fileNumber = 0
function commandFiles () {
  const number = ++fileNumber
  const file = kind => path.join(commands, `${kind}_${number}`)
  const files = { GITHUB_ENV: file('set_env'), GITHUB_OUTPUT: file('set_output'), GITHUB_PATH: file('add_path'), GITHUB_STATE: file('save_state'), GITHUB_STEP_SUMMARY: file('step_summary') }
  for (const name of Object.values(files)) fs.writeFileSync(name, '')
  return files
}

function stepEnvironment (own, files) {
  return {
    PATH: [...pathsFromSteps, spec.path].join(':'), HOME: spec.home, LANG: 'C.UTF-8', ...spec.machine,
    ...expandAll(workflow.env), ...expandAll(job.env), ...fromSteps, ...own,
    // What nobody can override.
    ...files,
    CI: 'true', GITHUB_ACTIONS: 'true', GITHUB_API_URL: 'https://api.github.com', GITHUB_GRAPHQL_URL: 'https://api.github.com/graphql',
    GITHUB_SERVER_URL: 'https://github.com', GITHUB_REPOSITORY: spec.repository, GITHUB_WORKSPACE: workspace, GITHUB_RUN_ID: String(spec.runId),
    GITHUB_EVENT_NAME: spec.event, GITHUB_JOB: spec.job, RUNNER_TEMP: temp, RUNNER_TOOL_CACHE: path.join(spec.dir, '_tool'), RUNNER_NAME: spec.runnerName,
    RUNNER_OS: 'Linux', RUNNER_ARCH: 'X64', RUNNER_TRACKING_ID: spec.trackingId
  }
}

function take (line) {
  const command = /^::([a-z-]+)(?: [^:]*)?::(.*)$/.exec(line)
  if (!command) return masked(line)
  const text = command[2].replaceAll('%0A', '\n').replaceAll('%0D', '\r').replaceAll('%25', '%')
  if (command[1] === 'add-mask') { masks.add(text); return undefined }
  if (command[1] === 'warning') result.warnings.push(masked(text))
  return masked(line)
}

// A step's process to its end: the runner waits until nobody holds its output any more.
function execute (words, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(words[0], words.slice(1), { cwd: workspace, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let rest = ''
    const on = piece => {
      const lines = (rest + piece).split('\n')
      rest = lines.pop()
      for (const line of lines) {
        const shown = take(line)
        if (shown !== undefined) result.log += `${shown}\n`
      }
    }
    child.stdout.setEncoding('utf8').on('data', on)
    child.stderr.setEncoding('utf8').on('data', on)
    child.on('error', reject)
    child.on('close', code => { if (rest !== '') on('\n'); resolve(code ?? 1) })
  })
}

function settle (step, files, code) {
  for (const [name, value] of Object.entries(entriesOf(files.GITHUB_ENV))) if (name !== 'NODE_OPTIONS') fromSteps[name] = value
  pathsFromSteps.unshift(...fs.readFileSync(files.GITHUB_PATH, 'utf8').split('\n').filter(Boolean))
  result.summary += fs.readFileSync(files.GITHUB_STEP_SUMMARY, 'utf8')
  const outputs = entriesOf(files.GITHUB_OUTPUT)
  if (step.id) contexts.steps[step.id] = { outputs, outcome: code === 0 ? 'success' : 'failure' }
  if (code !== 0) result.conclusion = 'failure'
  result.steps.push({ name: step.name ?? step.uses ?? step.run.split('\n')[0], code, outputs })
}

async function runAction (step, folder) {
  const action = YAML.parse(fs.readFileSync(path.join(folder, 'action.yml'), 'utf8'))
  const inputs = {}
  for (const [name, input] of Object.entries(action.inputs)) inputs[`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`] = expand(step.with?.[name] ?? input.default ?? '')
  const files = commandFiles()
  const own = { ...expandAll(step.env), ...inputs }
  const code = await execute(['node', path.join(folder, action.runs.main)], stepEnvironment(own, files))
  const state = Object.fromEntries(Object.entries(entriesOf(files.GITHUB_STATE)).map(([name, value]) => [`STATE_${name}`, value]))
  posts.unshift({ step: { name: `Post ${step.uses}` }, words: ['node', path.join(folder, action.runs.post)], own: { ...own, ...state } })
  settle(step, files, code)
}

async function runUses (step) {
  const [name] = step.uses.split('@')
  if (name === 'actions/checkout') {
    // What a job of ours runs of it; the rest would be copied for each of them.
    for (const part of ['.github', 'action.yml', 'action/action.yml', 'action/dist', 'Makefile']) fs.cpSync(path.join(spec.sources, part), path.join(workspace, part), { recursive: true })
    return settle(step, commandFiles(), 0)
  }
  if (name === 'actions/github-script') {
    const files = commandFiles()
    const own = { ...expandAll(step.env), 'INPUT_GITHUB-TOKEN': expand(step.with?.['github-token'] ?? '${{ github.token }}'), INPUT_SCRIPT: expand(step.with.script) }
    return settle(step, files, await execute(['node', path.join(here, 'github_script.mjs')], stepEnvironment(own, files)))
  }
  // Everything else is an action of this repository.
  return runAction(step, name.startsWith('./') ? path.join(workspace, name) : spec.actions[name])
}

async function runStep (step) {
  if (!isWanted(step.if)) return
  result.log += `## ${step.name ?? step.uses ?? 'run'}\n`
  if (step.uses) return runUses(step)
  const files = commandFiles()
  const script = path.join(temp, `step-${fileNumber}.sh`)
  fs.writeFileSync(script, expand(step.run))
  const own = { ...expandAll(step.env), TESTS: here }
  const code = await execute(['bash', '-e', script], stepEnvironment(own, files))
  fs.rmSync(script)
  settle(step, files, step['continue-on-error'] ? 0 : code)
}

// What a self-hosted runner's .env file may name: scripts around every job, whatever its workflow says.
async function runHook (name) {
  const script = spec.machine[`ACTIONS_RUNNER_HOOK_JOB_${name}`]
  if (script === undefined) return
  result.log += `## hook ${name}\n`
  const files = commandFiles()
  settle({ name: `hook ${name}` }, files, await execute(['bash', '-e', script], stepEnvironment({}, files)))
}

await runHook('STARTED')
for (const step of job.steps) await runStep(step)
for (const { step, words, own } of posts) {
  result.log += `## ${step.name}\n`
  const files = commandFiles()
  settle(step, files, await execute(words, stepEnvironment(own, files)))
}
await runHook('COMPLETED')
fs.rmSync(commands, { recursive: true })
result.env = Object.fromEntries(Object.entries(fromSteps).map(([name, value]) => [name, masked(value)]))
result.left = fs.readdirSync(temp, { recursive: true })
process.stdout.write(JSON.stringify(result))
