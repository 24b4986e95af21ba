// table.mjs - puts the suite to our server behind nginx and to rivals, and prints who passes what (Markdown).
//
//   node tests/conformance/rivals/table.mjs [--only LIST] [--json FILE]
//
// Its last column names who fails a check: the rivals, and the defects of tests/mutants/mutants.mjs that are put into our server and noticed by it.
// Below it: what does not apply to ours, why a rival fails, and which checks nobody fails. Exit code 1 if ours fails one.
import fs from 'node:fs';
import { probe } from '../lib/context.mjs';
import { counts, load, schedule, select } from '../lib/suite.mjs';
import { start } from '../../e2e/lib/server.mjs';
import { controlOf } from '../../e2e/lib/control.mjs';
import { mutants } from '../../mutants/mutants.mjs';
import { tusServer } from './rivals.mjs';

const arg = name => { const at = process.argv.indexOf(name); return at < 0 ? undefined : process.argv[at + 1]; };
const MAX = 16 << 20;

async function ours() {
	const server = await start({ settings: { WORKERS: 3, LOCK_WAIT_MS: 500, TUS_MAX_SIZE: MAX } });
	const control = controlOf(server);
	return { name: 'tus-fcgi', base: `${server.url}/files/`, control, stop: async () => { await control.stop(); await server.stop(); } };
}

// One after the other, so that nobody waits for the other's work.
async function ask(checks, begin) {
	const { stop, ...server } = await begin();
	try {
		const results = await Promise.all(schedule(checks, await probe(server)).values());
		return { ...server, results: new Map(results.map(r => [r.id, r])), counts: counts(results) };
	} finally {
		await stop();
	}
}

const cell = text => text.replace(/\|/g, '\\|').replace(/\s+/g, ' ');
const row = cells => console.log(`| ${cells.map(cell).join(' | ')} |`);

function table(checks, servers, fails) {
	row(['check', 'level', ...servers.map(s => s.name), 'who fails it']);
	row(Array(servers.length + 3).fill('---'));
	const told = (c, r) => r.outcome + (r.level === c.level ? '' : ` (${r.level})`);
	for (const c of checks) row([`${c.id} ${c.title}`, c.level, ...servers.map(s => told(c, s.results.get(c.id))), fails.get(c.id).join(', ')]);
	for (const s of servers) console.log(`\n${s.name}: ${s.counts.pass} passed, ${s.counts.fail} failed, ${s.counts.na} not applicable`);
}

function section(title, lines) {
	console.log(`\n## ${title}\n`);
	for (const l of lines.length ? lines : ['none']) console.log(`- ${cell(l)}`);
}

const checks = select(await load(), arg('--only'));
const servers = [await ask(checks, ours), await ask(checks, () => tusServer({ maxSize: MAX }))];
const [mine, ...rivals] = servers;
const failing = s => [...s.results.values()].filter(r => r.outcome === 'FAIL');
// The versions of the draft share their checks: what fails one of them has failed its like.
const like = id => id.replace(/^D\d+-/, 'D*-');
const defects = mutants.filter(m => m.in === 'conformance').flatMap(m => [m.test, ...(m.also ?? [])].map(id => ({ id, name: m.id })));
function failing_it(c) {
	const own = defects.filter(d => d.id === c.id).map(d => `mutant ${d.name}`);
	const of_like = defects.filter(d => like(d.id) === like(c.id)).map(d => `mutant ${d.name} (as ${d.id})`);
	return [...rivals.filter(s => s.results.get(c.id).outcome === 'FAIL').map(s => s.name), ...(own.length ? own : of_like.slice(0, 1))];
}
const fails = new Map(checks.map(c => [c.id, failing_it(c)]));
const asked = c => servers.some(s => s.results.get(c.id).outcome !== 'n/a');

table(checks, servers, fails);
section(`Failed by ${mine.name}`, failing(mine).map(r => `${r.id}: ${r.reason}`));
section(`Not applicable to ${mine.name}`, [...mine.results.values()].filter(r => r.outcome === 'n/a').map(r => `${r.id}: ${r.reason}`));
for (const s of rivals) section(`Failed by ${s.name}`, failing(s).map(r => `${r.id} ${r.title}: ${r.reason.slice(0, 300)}`));
section('Checks that nobody fails', checks.filter(c => asked(c) && !fails.get(c.id).length).map(c => `${c.id} ${c.title}`));
const file = arg('--json');
if (file) fs.writeFileSync(file, JSON.stringify(servers.map(s => ({ name: s.name, counts: s.counts, results: [...s.results.values()].map(({ error, ...r }) => r) })), null, '\t'));
process.exit(mine.counts.fail ? 1 : 0);
