#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// Derives src/standin/data/recordings.txt: the real answers that the stand-in for GitHub serves.
//
//   node tools/derive_recordings.mjs [--keep DIR]
//
// It fetches two MIT packages with `npm pack` (versions pinned below), reduces them and writes the result with their
// licences and a README. Running it again with the same versions gives the same bytes.
//   @octokit/fixtures  recorded exchanges with api.github.com (the normalized ones: stable names, ids and dates)
//   @octokit/openapi   GitHub's own description of its API; the example of every response, at a filled-in path
//
// Format of recordings.txt: two lines per answer. The first is a JSON object (source, method, path, status, type, and
// where they apply link, location, modified, access "token", text true); the second is the body, compact JSON exactly
// as it is to be served, or a JSON string of the body when "text" is true.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const packages = { '@octokit/fixtures': '23.1.2', '@octokit/openapi': '23.0.2' };
const largestBody = 200 * 1024;
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const target = join(root, 'src/standin/data');

const keep = process.argv.indexOf('--keep');
const work = keep > 0 ? process.argv[keep + 1] : mkdtempSync(join(tmpdir(), 'recordings-'));
mkdirSync(work, { recursive: true });

function unpack(name) {
  const folder = join(work, name.replace(/\W+/g, '_'));
  mkdirSync(folder, { recursive: true });
  const archive = execFileSync('npm', ['pack', '--silent', `${name}@${packages[name]}`], { cwd: work, encoding: 'utf8' });
  execFileSync('tar', ['xzf', join(work, archive.trim()), '-C', folder]);
  return join(folder, 'package');
}

const records = [];
const seen = new Set();
let distinct = 0;
function add(record, body, text) {
  const line = JSON.stringify(body);
  if (line.length > largestBody) return;
  // Credentials in examples would trip secret scanners, and teach nothing.
  if (/gh[opsu]_[A-Za-z0-9]{30,}|-----BEGIN [A-Z ]*PRIVATE KEY/.test(line)) return;
  const key = [record.method, record.path, record.status, record.type, line].join('\n');
  if (seen.has(key)) return;
  seen.add(key);
  // One body at many paths (the errors, above all) is worth keeping only where something can be read.
  const readable = record.method === 'GET' && record.status === 200;
  if (seen.has(line) && !readable) return;
  if (!seen.has(line)) { seen.add(line); distinct += 1; }
  if (text) record.text = true;
  records.push(`${JSON.stringify(record)}\n${line}\n`);
}

// ---- recorded exchanges -------------------------------------------------------------------------------------------
function header(headers, name) {
  for (const [key, value] of Object.entries(headers ?? {})) if (key.toLowerCase() === name) return String(value);
  return undefined;
}

function takeFixtures(folder) {
  const scenarios = join(folder, 'scenarios/api.github.com');
  for (const scenario of readdirSync(scenarios).sort()) {
    for (const exchange of JSON.parse(readFileSync(join(scenarios, scenario, 'normalized-fixture.json'), 'utf8'))) {
      if (exchange.scope !== 'https://api.github.com:443' || exchange.response === '' || exchange.responseIsBinary) continue;
      const type = header(exchange.headers, 'content-type') ?? 'application/json; charset=utf-8';
      const record = { source: 'fixtures', method: exchange.method.toUpperCase(), path: exchange.path, status: exchange.status, type };
      for (const [field, name] of [['link', 'link'], ['location', 'location'], ['modified', 'last-modified']]) {
        const value = header(exchange.headers, name);
        if (value) record[field] = value;
      }
      if (/^\/(user|notifications|projects)\b/.test(exchange.path)) record.access = 'token';
      const text = typeof exchange.response === 'string';
      add(record, exchange.response, text);
    }
  }
}

// ---- examples of every endpoint -----------------------------------------------------------------------------------
const names = {
  owner: 'octocat', repo: 'Hello-World', org: 'github', username: 'octocat', enterprise: 'octo-enterprise', template_owner: 'octocat',
  template_repo: 'Hello-World', branch: 'main', ref: 'main', sha: '6dcb09b5b57875f334f61aebed695e2e4193db5e',
  commit_sha: '6dcb09b5b57875f334f61aebed695e2e4193db5e', tree_sha: '9fb037999f264ba9a7fc6274d15fa3ae2ab98312',
  file_sha: '3d21ec53a331a6f037a91c368710b99387d012c1', tag_sha: '940bd336248efae0f9ee5bc7b2d5c985887b16ac', tag: 'v1.0.0',
  path: 'README.md', basehead: 'main...topic', team_slug: 'justice-league', name: 'bug', environment_name: 'production',
  secret_name: 'GH_SECRET', archive_format: 'zip', gist_id: 'aa5a315d61ae9438b18d', license: 'mit', ghsa_id: 'GHSA-abcd-1234-efgh',
  package_type: 'npm', package_name: 'hello', dir: '', subject_digest: 'sha256:aaaa', assignee: 'octocat', account_id: '1', app_slug: 'octoapp',
};

function fill(path, operation) {
  return path.replace(/\{([^}]+)\}/g, (_, name) => {
    if (name in names) return names[name];
    const parameter = (operation.parameters ?? []).find((p) => p.name === name);
    const example = parameter?.example ?? Object.values(parameter?.examples ?? {})[0]?.value ?? parameter?.schema?.examples?.[0];
    if (['string', 'number'].includes(typeof example)) return encodeURIComponent(String(example));
    if (parameter?.schema?.enum) return parameter.schema.enum[0];
    return parameter?.schema?.type === 'integer' || /_(id|number)$/.test(name) ? '42' : name.replaceAll('_', '-');
  });
}

function takeExamples(folder) {
  const api = JSON.parse(readFileSync(join(folder, 'generated/api.github.com.deref.json'), 'utf8'));
  for (const [template, methods] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      for (const [status, response] of Object.entries(operation.responses ?? {})) {
        for (const [type, media] of Object.entries(response.content ?? {})) {
          for (const example of Object.values(media.examples ?? {})) {
            if (example.value === undefined) continue;
            const record = { source: 'openapi', method: method.toUpperCase(), path: fill(template, operation), status: Number(status),
              type: type.includes('charset') ? type : `${type}; charset=utf-8` };
            const link = response.headers?.Link?.example ?? response.headers?.Link?.examples?.default?.value;
            if (link && !link.includes('/resource')) record.link = link;
            if (/^\/(user|notifications|app|installation|enterprises)\b|\/(secrets|hooks|keys|variables|teams|invitations|collaborators)\b/.test(record.path)) record.access = 'token';
            add(record, example.value, typeof example.value === 'string' && !type.includes('json'));
          }
        }
      }
    }
  }
}

const fixtures = unpack('@octokit/fixtures');
const openapi = unpack('@octokit/openapi');
takeFixtures(fixtures);
takeExamples(openapi);
mkdirSync(target, { recursive: true });
writeFileSync(join(target, 'recordings.txt'), records.join(''));
copyFileSync(join(fixtures, 'LICENSE.md'), join(target, 'LICENSE.octokit-fixtures'));
copyFileSync(join(openapi, 'LICENSE'), join(target, 'LICENSE.octokit-openapi'));
writeFileSync(join(target, 'README.md'), `# Real answers of GitHub's API

\`recordings.txt\` holds ${records.length} answers with ${distinct} distinct bodies, derived by \`tools/derive_recordings.mjs\` (which describes the format) from two npm packages:

| Package | Version | Licence | What was taken |
|---|---|---|---|
| @octokit/fixtures | ${packages['@octokit/fixtures']} | MIT (LICENSE.octokit-fixtures) | every recorded exchange with api.github.com that has a text body, normalized form |
| @octokit/openapi | ${packages['@octokit/openapi']} | MIT (LICENSE.octokit-openapi) | the response examples of GitHub's API description, at filled-in paths |

Bodies are stored as compact JSON, the form that GitHub hashes for its ETag. Examples that look like credentials are left out.
`);
if (keep < 0) rmSync(work, { recursive: true });
console.log(`${records.length} answers, ${distinct} distinct bodies`);
