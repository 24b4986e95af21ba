// run.mjs - proves that the tests notice each known weakness: a tree with exactly one defect of mutants.mjs must fail the test that is named for it.
//
//   node tests/mutants/run.mjs [--list] [--check] [--why] [--keep] [--untracked] [--tries N] [ID...]
//
// The tracked files are copied once into a scratch folder and built there. All named tests must pass on the tree as it is; then each defect is put in,
// built, tested and taken out again. A text that is not found exactly once, or a defect that does not build, is a failure: a rotten mutant proves nothing.
// Beside the named test a second one (`control`) must still pass, so that a server that does not even start is not taken for a caught defect.
// ID may be a beginning (B08: all of B08a, B08b ...). --untracked copies files that are not committed yet, too. --keep leaves the scratch folder.
// --why prints how the test failed: whether for the right reason is for people to judge.
// Suites that strike at random moments (storm, power, replay) are tried several times, each time with another seed: three quarters of the tries must notice.
// --tries: so often, and the tests of the other D rows as well (3 for those suites unless told).
// --check only looks whether every text is still found once and every named test still exists: a moment's work after a change of the sources.
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { load, testName } from '../conformance/lib/suite.mjs';
import { mutants, outside } from './mutants.mjs';

const top = fileURLToPath(new URL('../../', import.meta.url));
const args = process.argv.slice(2);
const option = name => args.includes(name) && args.splice(args.indexOf(name), 1).length > 0;
const list = option('--list'), check = option('--check'), explain = option('--why'), keep = option('--keep'), untracked = option('--untracked');
const said = args.indexOf('--tries'), tries = said < 0 ? 0 : Number(args.splice(said, 2)[1]);
const E2E = { in: 'bugs', control: 'B03_head_has_upload_length' };
const TEST_MS = 180000, BUILD_MS = 600000, GRACE_MS = 3000;

// Defects are judged by tests, not by warnings, and the small difference in speed of the programs does not matter.
const env = { ...process.env, OPT: '-O1 -w', TUS_BUILD: 'build', TEST_ALL: '' };

// ---- the scratch tree

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'mut-'));
const tree = path.join(scratch, 'tree'), temp = path.join(scratch, 't');
let group = 0;

function end_group() {
	if (group) try { process.kill(-group, 'SIGKILL'); } catch { /* all ended */ }
	group = 0;
}
function leave(code) {
	end_group();
	if (keep) console.log(`scratch folder kept: ${scratch}`);
	else fs.rmSync(scratch, { recursive: true, force: true });
	process.exit(code);
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => leave(1));
process.on('uncaughtException', e => { console.log(e); leave(1); });

function copy_tree() {
	const files = execFileSync('git', ['ls-files', '-z', ...(untracked ? ['-co', '--exclude-standard'] : [])], { cwd: top, maxBuffer: 1 << 26 });
	for (const f of files.toString().split('\0')) {
		if (!f || !fs.existsSync(path.join(top, f))) continue;
		fs.mkdirSync(path.join(tree, path.dirname(f)), { recursive: true });
		fs.copyFileSync(path.join(top, f), path.join(tree, f));
	}
	const modules = path.join(top, 'tests/e2e/node_modules');
	if (fs.existsSync(modules)) fs.symlinkSync(modules, path.join(tree, 'tests/e2e/node_modules'));
}

// Runs a command in a process group of its own, of which nothing is left afterwards. Soon after it has said enough it is ended.
function run(file, argv, ms, enough = () => false) {
	fs.rmSync(temp, { recursive: true, force: true });
	fs.mkdirSync(temp, { recursive: true });
	return new Promise(done => {
		const child = spawn(file, argv, { cwd: tree, detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { ...env, TMPDIR: temp } });
		let text = '', late;
		group = child.pid;
		const hear = d => {
			text += d;
			if (enough(text)) late ??= setTimeout(end_group, GRACE_MS);
		};
		child.stdout.on('data', hear);
		child.stderr.on('data', hear);
		child.on('error', e => { text += e; });
		const timer = setTimeout(() => { text += `\nnot ended after ${ms} ms\n`; end_group(); }, ms);
		child.on('close', code => { clearTimeout(timer); clearTimeout(late); end_group(); done({ code, text }); });
	});
}

// ---- suites

// A row that is judged by the conformance suite gives a check's number as its test.
const conformance = new Map((await load()).map(c => [c.id, testName(c)]));
const check_name = id => conformance.get(id) ?? id;
const CONFORMANCE = m => ({ ...m, test: check_name(m.test), also: (m.also ?? []).map(check_name), control: check_name(m.control ?? '064') });
const failing = m => [m.test, ...(m.also ?? [])];
const rowOf = m => (m.in === 'conformance' ? CONFORMANCE(m) : m.suite === 'e2e' ? { ...E2E, ...m } : m);
const program = m => `build/tests/${m.suite}/${m.in}`;
const script = m => `tests/e2e/${m.in}.test.mjs`;
const quoted = name => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

const DRIVERS = { storm: 'tests/storm/storm.mjs', power: 'tests/power/power.mjs', replay: 'tests/power/replay.mjs' };
const chance = m => m.suite in DRIVERS;
const whole = m => m.suite === 'e2e' || chance(m);
const build = rows => run('make', ['-s', '-j2', 'B=build', ...new Set(rows.flatMap(m => (m.suite === 'e2e' ? 'all' : whole(m) ? ['all', 'tools'] : program(m))))], BUILD_MS);

// ---- suites with chance in them

const SKIP = 77;
const attempt = (m, seed) => run(process.execPath, [DRIVERS[m.suite], '--seed', String(seed), ...m.args], TEST_MS);

// How many of n tries noticed: {n, seen, text of the last that did not}.
async function attempts(m, n) {
	const out = { n: 0, seen: 0, text: '' };
	for (; out.n < n; out.n++) {
		const { code, text } = await attempt(m, 1000 + out.n);
		if (code === SKIP) return { ...out, skipped: text.trim() };
		if (code === 1 && /[1-9]\d* violations/.test(text)) out.seen++;
		else out.text = text;
	}
	return out;
}

// {name: passed} of one test program, whichever its way of telling. A C program is run whole, but not for long after `fails` has failed: the next test may wait for ever then.
async function results(m, names, fails) {
	const out = new Map();
	const failed = fails && new RegExp(`^\\[  (FAILED|ERROR ) +\\] ${fails}$`, 'm');
	const { text } = m.suite === 'e2e'
		? await run(process.execPath, ['--test', '--test-reporter=tap', `--test-name-pattern=^(${names.map(quoted).join('|')})$`, script(m)], TEST_MS * names.length)
		: await run(program(m), [], TEST_MS, so_far => failed?.test(so_far));
	for (const [, not, name, skip] of text.matchAll(/^\s*(not )?ok \d+ - (\S+)(.*)$/gm)) if (!/# SKIP/i.test(skip)) out.set(name, !not);
	// ERROR: it failed, and so did its end. Some programs run their group several times: once failed is failed. A test that began and said no more has ended the program, or hangs.
	let running;
	for (const [, word, name] of text.matchAll(/^\[\s+(RUN|OK|FAILED|ERROR)\s+\] (\w+)$/gm)) {
		running = word === 'RUN' ? name : undefined;
		if (word !== 'RUN') out.set(name, word === 'OK' && out.get(name) !== false);
	}
	if (running && (running === fails || !out.has(fails))) out.set(running, false);
	return { out, text };
}

const tail = (text, n = 25) => text.trimEnd().split('\n').slice(-n).map(l => `  | ${l}`).join('\n');

// What a test said when it failed.
function complaint(m, name, text) {
	const at = text.search(m.suite === 'e2e' ? new RegExp(`^\\s*not ok \\d+ - ${quoted(name)}`, 'm') : new RegExp(`^\\[ RUN      \\] ${name}$`, 'm'));
	const lines = text.slice(Math.max(at, 0)).split('\n');
	const from = m.suite === 'e2e' ? lines.findIndex(l => /^\s*error:/.test(l)) : 1;
	return tail(lines.slice(from, from + 6).join('\n'));
}

// ---- one defect

const edits = m => m.edits ?? [{ file: m.file, old: m.old, new: m.new }];

// Files with the defect in them: {file: [text before, text after]}; throws if a text is not there exactly once.
function changed(m, from = tree) {
	const files = {};
	for (const e of edits(m)) {
		files[e.file] ??= Array(2).fill(fs.readFileSync(path.join(from, e.file), 'utf8'));
		const found = files[e.file][1].split(e.old).length - 1;
		if (found !== 1) throw new Error(`${e.file} has this text ${found} times: ${JSON.stringify(e.old)}`);
		files[e.file][1] = files[e.file][1].replace(e.old, () => e.new);
	}
	return files;
}
const write = (files, which) => Object.entries(files).forEach(([f, texts]) => fs.writeFileSync(path.join(tree, f), texts[which]));

// '' if the test failed and nothing else is wrong, else what is wrong.
async function survived(m) {
	const made = await build([m]);
	if (made.code !== 0) return `it does not build\n${tail(made.text)}`;
	if (chance(m)) {
		const a = await attempts(m, tries || 3);
		m.count = a.skipped ? a.skipped : `${a.seen} of ${a.n}`;
		return a.skipped || a.seen * 4 >= a.n * 3 ? '' : `only ${m.count} tries noticed\n${tail(a.text)}`;
	}
	for (let i = 1; i < (/^D/.test(m.id) ? tries : 0); i++) if ((await results(m, [m.test], m.test)).out.get(m.test)) return `try ${i} of ${tries} did not notice`;
	if (/^D/.test(m.id) && tries) m.count = `${tries} of ${tries}`;
	const { out, text } = await results(m, [...failing(m), ...(m.control ? [m.control] : [])], m.test);
	const others = m.control ? [out.get(m.control)] : [...out].filter(([name]) => name !== m.test).map(([, passed]) => passed);
	const silent = failing(m).filter(n => !out.has(n)), blind = failing(m).filter(n => out.get(n));
	if (silent.length) return `no result of ${silent}\n${tail(text)}`;
	if (blind.length) return `passed: ${blind}`;
	if (others.length && !others.some(Boolean)) return `everything else failed, too\n${tail(text, 60)}`;
	if (explain) for (const name of failing(m)) console.log(complaint(m, name, text));
	return '';
}

async function judge(m) {
	let files;
	try {
		files = changed(m);
	} catch (e) {
		return `rotten: ${e.message}`;
	}
	write(files, 1);
	const why = await survived(m);
	write(files, 0);
	return why;
}

// ---- all

// The unchanged tree: what its tests say, by program.
async function baseline(rows) {
	const programs = new Map();
	for (const m of rows.filter(r => !chance(r))) {
		const key = `${m.suite}/${m.in}`;
		if (!programs.has(key)) programs.set(key, { m, names: new Set() });
		for (const name of failing(m)) programs.get(key).names.add(name);
		if (m.control) programs.get(key).names.add(m.control);
	}
	let bad = 0;
	for (const m of new Map(rows.filter(chance).map(r => [`${r.suite} ${r.args}`, r])).values()) {
		const { code, text } = await attempt(m, 999);
		if (code !== 0 && code !== SKIP) console.log(`FAIL ${m.suite} ${m.args.join(' ')} on the unchanged tree\n${tail(text)}`);
		bad += code !== 0 && code !== SKIP;
	}
	for (const [key, { m, names }] of programs) {
		const { out, text } = await results(m, [...names]);
		const wrong = [...names].filter(n => out.get(n) !== true);
		for (const n of wrong) console.log(`FAIL ${key} ${n}: ${out.has(n) ? 'fails' : 'is not run'} on the unchanged tree\n${out.has(n) ? complaint(m, n, text) : tail(text)}`);
		bad += wrong.length;
	}
	return bad;
}

const wanted = mutants.map(rowOf).filter(m => !args.length || args.some(a => m.id.startsWith(a)));
if (list || !wanted.length) {
	for (const m of wanted) console.log(`${m.id}  ${m.suite}${m.in ? `/${m.in}` : ''} ${m.test ?? m.args.join(' ')}: ${m.what}`);
	if (!wanted.length) console.log(`no such mutant: ${args.join(' ')}`);
	leave(wanted.length ? 0 : 2);
}

if (check) {
	let rotten = 0;
	for (const m of wanted) {
		try {
			changed(m, top);
			if (chance(m)) continue;
			if (m.in === 'conformance') {
				for (const name of [...failing(m), m.control]) if (![...conformance.values()].includes(name)) throw new Error(`the conformance suite has no check ${name}`);
				continue;
			}
			const suite = m.suite === 'e2e' ? script(m) : `${program(m).replace('build/', '')}.c`;
			if (!fs.readFileSync(path.join(top, suite), 'utf8').includes(m.test)) throw new Error(`${suite} has no ${m.test}`);
		} catch (e) {
			rotten++;
			console.log(`rotten ${m.id}: ${e.message}`);
		}
	}
	console.log(`${wanted.length - rotten} passed, ${rotten} failed`);
	leave(rotten ? 1 : 0);
}

copy_tree();
const first = await build(wanted);
let passed = 0, failed = 0;
if (first.code !== 0) {
	console.log(`FAIL the unchanged tree does not build\n${tail(first.text)}`);
	failed = 1;
} else {
	failed = await baseline(wanted);
}
if (!failed) for (const m of wanted) {
	const began = Date.now(), why = await judge(m);
	if (why) failed++;
	else passed++;
	console.log(`${why ? 'MISSED' : 'caught'} ${m.id} by ${m.suite} ${m.test ?? m.args.join(' ')}${m.count ? ` (${m.count})` : ''}: ${m.what} (${((Date.now() - began) / 1000).toFixed(0)} s)${why ? `: ${why}` : ''}`);
}
if (!args.length) for (const o of outside) console.log(`none   ${o.id}: ${o.why}`);
console.log(`${passed} passed, ${failed} failed`);
leave(failed ? 1 : 0);
