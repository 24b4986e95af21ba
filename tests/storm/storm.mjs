// storm.mjs - many clients, and a server that is killed under them at every call that matters: nothing that a client was told may ever be untrue.
//
//   node tests/storm/storm.mjs [--seconds N] [--seed N] [--clients N] [--workers N] [--round N] [--patience SECONDS] [--first] [--keep]
//       [--plain SHARE] [--apart DIR] [--set NAME=VALUE]...
//
// TUS_BUILD names the build. 24 clients over real nginx, 6 worker processes; in every round the world is shaken, then stands still and is compared byte by byte.
// A share of the requests (0.05 unless told) goes to plain CGI processes beside the pool. --apart: finished files lie in a folder made in DIR, on another device.
// --first: the first violation ends it at once. The last lines are a summary; exit 1 on any violation. The numbers in violations name the invariants of inspect.mjs.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { start, metrics } from '../e2e/lib/server.mjs';
import { sleep, until } from '../e2e/lib/http.mjs';
import { Faults } from './faults.mjs';
import { inspect } from './inspect.mjs';
import { World, randomOf } from './world.mjs';
import { Upload, wholeUpload } from './uploads.mjs';
import { DraftUpload } from './draft.mjs';
import { madeOfParts } from './wholes.mjs';
import { recording } from './sessions.mjs';
import { leave, pass } from './time.mjs';

const said = name => process.argv.flatMap((a, i) => (a === `--${name}` ? [process.argv[i + 1]] : []));
const option = (name, otherwise) => {
	const i = process.argv.indexOf(`--${name}`);
	return i < 0 ? otherwise : Number(process.argv[i + 1]);
};
const seconds = option('seconds', 60), clients = option('clients', 24), workers = option('workers', 6), round = option('round', 8);
const seed = option('seed', Date.now() % 1000000), patience = 1000 * option('patience', 120), first = process.argv.includes('--first');

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'storm-'));
const data = path.join(dir, 'data');
fs.mkdirSync(data);
const random = randomOf(seed);
const world = new World({ seed, first, patience });
world.plain = option('plain', 0.05);
process.umask(0o027);   // as scripts/run has it
const apart = said('apart').map(d => fs.mkdtempSync(path.join(d, 'storm-')))[0];
world.start = Date.now();
world.random = random;
const faults = new Faults(world, dir, random);
const done = apart ?? path.join(data, 'uploaded_data');
for (const [k, v] of Object.entries(faults.environment([path.join(data, 'tus_uploads'), path.join(data, 'tus_sessions'), done]))) process.env[k] = v;
world.server = await start({ dataDir: data, settings: {
	WORKERS: workers, LOCK_WAIT_MS: 1500, RESTARTS_PER_MINUTE: 1000, REAP_INTERVAL: 2, LOG_LEVEL: 'warning', UPLOAD_DIR: done, FILE_DIGEST: seed % 2 ? 'sha256' : 'none',
	...Object.fromEntries(said('set').map(s => s.split(/=(.*)/s, 2))) } });

async function client(number) {
	const mine = randomOf(seed * 1000 + number);
	world.clients++;
	for (let i = 0; !world.ending; i++) {
		const name = `st${seed}-${number}-${i}`;
		await world.breath();
		if (mine.chance(0.06) && world.left.length < 40 + seconds / 2) await leave(world, mine, name);
		else if (mine.chance(0.15)) await madeOfParts(world, mine, name);
		else if (mine.chance(0.5)) await wholeUpload(world, mine, name, mine.chance(0.4) ? DraftUpload : Upload);
		else await recording(world, mine, name);
	}
	world.clients--;
}

async function blow(ms) {
	if (random.chance(0.06)) await faults.killSupervisor();
	else await faults.strike(0, ms);
}

async function shake(ms) {
	const end = Date.now() + ms;
	const stopping = (async () => { while (Date.now() < end) { await sleep(random.int(100, 1200)); await faults.stopOne(); } })();
	while (Date.now() < end) {
		await blow(Math.min(1500, end - Date.now()));
		await sleep(random.int(50, 500));
	}
	await stopping;
}

// Everybody stands still and every worker is there.
async function rest(fn) {
	let go;
	world.pausing = new Promise(done => { go = done; });
	await until(() => world.standing >= world.clients, { what: 'standing clients', timeout: 60000 });
	await until(() => world.server.workers().length === workers, { what: 'workers', timeout: 30000 });
	await world.server.idle();
	try {
		return await fn();
	} finally {
		world.pausing = null;
		go();
	}
}

// Nothing of ours outlives us.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

let code = 1;
try {
	const all = Promise.all(Array.from({ length: clients }, (_, i) => client(i)));
	all.catch(e => { console.log(e); process.exit(1); });
	let walMost = 0, rounds = 0;
	while (Date.now() - world.start < seconds * 1000) {
		await shake(Math.min(round * 1000, seconds * 1000 - (Date.now() - world.start)));
		const seen = await rest(() => inspect(world));
		walMost = Math.max(walMost, seen.wal);
		rounds++;
		console.log(`${((Date.now() - world.start) / 1000).toFixed(0)} s: ${faults.total()} kills, ${world.count.finished} finished, ${world.things.size} alive or removed, ${world.violations.length} violations`);
	}
	world.ending = true;
	await Promise.race([all, sleep(world.patience + 30000).then(() => { throw new Error('clients did not come to an end'); })]);
	await world.server.idle();
	await inspect(world);
	const before = faults.total();
	const later = await pass(world, () => faults.strike(0, 120, 3));
	later.kills = faults.total() - before;
	const { lines, none } = faults.report();
	const m = await metrics(world.server), c = world.count;
	console.log(`seed ${seed}: ${rounds} rounds, ${faults.total()} kills (${faults.supervisors} of the supervisor), ${c.stops} stopped processes\nkills by call:\n${lines.join('\n')}`);
	console.log(`${[...world.statuses].sort().map(([k, n]) => `${k}: ${n}`).join(', ')}`);
	console.log(`commits ${faults.seen('commit', 1)}, requests ${c.requests} (${c.unanswered} unanswered), cuts ${c.cuts}, resumes ${c.resumes}, fights ${c.fights} (${c.displaced} displaced), wrong checksums ${c.mismatches}, `
		+ `hand-overs ${m.waveforge_handovers_total}, replaced ${c.replaced}, made of parts ${c.joined}, removed ${c.removed}, finished and compared ${c.finished} (${c.digests} with a digest), largest WAL at rest ${walMost}`);
	console.log(`two days later, under ${later.kills} kills: ${later.expired} uploads expired, ${later.recovered} recordings recovered, ${later.runs} with holes offered in runs, ${c.late} came back late`);
	console.log(`files that nothing names: ${world.scrap.size} ${[...new Set(world.scrap.values())].join(', ')}`);
	if (none.length) console.log(`no kill at: ${none.join(', ')}`);
	const wedged = world.violations.filter(v => /wedged/.test(v)).length;
	console.log(`${world.violations.length} violations, ${wedged} wedged`);
	for (const v of world.violations.slice(0, 20)) console.log(`  ${v}`);
	code = world.violations.length || (seconds >= 300 && none.length) ? 1 : 0;
} catch (e) {
	console.log(e);
} finally {
	faults.disarm();
	if (faults.stopped) try { process.kill(faults.stopped, 'SIGCONT'); } catch { /* gone */ }
	await world.server.stop().catch(e => { console.log(`${e}`); code = 1; });
	const folders = [dir, ...(apart ? [apart] : [])];
	if (code === 0 && !process.argv.includes('--keep')) for (const d of folders) fs.rmSync(d, { recursive: true, force: true });
	else console.log(`scratch folder kept: ${folders.join(' ')}`);
	process.exit(code);
}
