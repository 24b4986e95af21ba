// power.mjs - the power is cut while clients work: what they were told is compared with what the disk has.
//
//   node tests/power/power.mjs [--rounds N] [--level full|normal] [--seed N] [--clients N] [--ms N] [--patience SECONDS] [--first]
//
// Level full: no acknowledged offset, chunk, creation, removal or finished file is lost. Level normal: offsets inside unfinished uploads may be lower
// than they were told, but what they say is right. Afterwards every client goes on to its end. Without --level both. As root, with loop devices; elsewhere
// it says why not and ends with exit code 77. Clients and comparison are those of the kill storm.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { start } from '../e2e/lib/server.mjs';
import { sleep, until } from '../e2e/lib/http.mjs';
import { World, randomOf } from '../storm/world.mjs';
import { Upload, wholeUpload } from '../storm/uploads.mjs';
import { DraftUpload } from '../storm/draft.mjs';
import { madeOfParts } from '../storm/wholes.mjs';
import { recorder, recording } from '../storm/sessions.mjs';
import { inspect } from '../storm/inspect.mjs';
import { Disk } from './disk.mjs';

const text = (name, otherwise) => {
	const i = process.argv.indexOf(`--${name}`);
	return i < 0 ? otherwise : process.argv[i + 1];
};
const number = (name, otherwise) => Number(text(name, otherwise));
const rounds = number('rounds', 20), clients = number('clients', 12), ms = number('ms', 1500), seed = number('seed', Date.now() % 1000000);
const patience = 1000 * number('patience', 120), first = process.argv.includes('--first');
const levels = text('level') ? [text('level')] : ['full', 'normal'];

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'power-'));
const why = Disk.unable(dir);
if (why) {
	console.log(`skipped: ${why}`);
	fs.rmSync(dir, { recursive: true, force: true });
	process.exit(77);
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

let disk, world;
process.on('exit', () => disk?.remove());

// In every second round all are live recorders: then nobody else's commits make an acknowledged chunk durable by chance.
async function client(n, round) {
	const mine = randomOf(seed * 100000 + round * 100 + n);
	world.clients++;
	for (let i = 0; !world.ending; i++) {
		const name = `pw${seed}-${round}-${n}-${i}`;
		await world.breath();
		if (round % 2) await recorder(world, mine, name, () => world.ending);
		else if (mine.chance(0.2)) await madeOfParts(world, mine, name);
		else if (mine.chance(0.5)) await wholeUpload(world, mine, name, mine.chance(0.4) ? DraftUpload : Upload);
		else await recording(world, mine, name);
	}
	world.clients--;
}

// The moment of the cut, everybody's standing still, the machine's new start.
async function cut(level) {
	const server = world.server;
	// A machine without power answers nobody. Ours goes on for a moment, and a sync that waited for the journal then may come back with a success
	// that is none (jbd2 takes a transaction that ended by the abort for one that ended): what is heard from here on counts as unheard.
	world.powerCuts++;
	disk.cut();
	let go;
	world.pausing = new Promise(done => { go = done; });
	for (const pid of server.pool()) try { process.kill(pid, 'SIGKILL'); } catch { /* gone */ }
	await until(() => server.gone, { what: 'end of the run script', timeout: 30000 });
	await until(() => world.standing >= world.clients, { what: 'standing clients', timeout: 60000 });
	disk.down();
	disk.up();
	server.gone = undefined;
	server.text = server.text.replace(/^ready /mg, 'was ready ');
	await server.begin();
	await inspect(world, { rollback: level === 'normal' });
	world.pausing = null;
	go();
}

async function round(level, r) {
	world.ending = false;
	const all = Promise.all(Array.from({ length: clients }, (_, i) => client(i, r)));
	all.catch(e => { console.log(e); process.exit(1); });
	await sleep(ms / 3 + world.random.int(0, ms));
	await cut(level);
	world.ending = true;
	let timer;
	await Promise.race([all, new Promise((_, fail) => { timer = setTimeout(() => fail(new Error('clients did not come to an end')), world.patience + 30000); })]);
	clearTimeout(timer);
	await world.server.idle();
	await inspect(world);
	world.files.clear();
	for (const t of [...world.things]) if (t.removed) world.things.delete(t);
}

async function run(level) {
	const here = path.join(dir, level);
	fs.mkdirSync(here);
	disk = new Disk(here);
	disk.format();
	disk.up();
	world = new World({ seed, first, patience });
	world.diskFails = true;   // from the cut until the processes are gone
	Object.assign(world, { start: Date.now(), random: randomOf(seed), files: new Map() });
	world.server = await start({ dataDir: path.join(disk.mount, 'data'), settings: {
		RUN_DIR: path.join(here, 'run'), WORKERS: 3, TUS_DURABILITY: level, LOCK_WAIT_MS: 1500, REAP_INTERVAL: 2, LOG_LEVEL: 'warning' } });
	let done = 0;
	for (; done < rounds && !world.violations.length; done++) await round(level, done);
	await world.server.stop();
	disk.down();
	const wrong = disk.check();
	if (wrong) world.violations.push(wrong);
	disk.remove();
	const c = world.count;
	console.log(`${level}: ${done} cuts, seed ${seed}: requests ${c.requests} (${c.unanswered} unanswered), finished and compared ${c.finished}, compared after a cut: `
		+ `${c.checked} finished files, ${c.told} offsets, ${c.chunks} chunks, ${c.gone} removals; ${c.back} offsets went back; ${world.violations.length} violations`);
	for (const v of world.violations.slice(0, 20)) console.log(`  ${v}`);
	return world.violations.length;
}

let code = 1;
try {
	let bad = 0;
	for (const level of levels) bad += await run(level);
	code = bad ? 1 : 0;
} catch (e) {
	console.log(e);
	await world?.server?.halt();
} finally {
	disk?.remove();
	if (code === 0) fs.rmSync(dir, { recursive: true, force: true });
	else console.log(`scratch folder kept: ${dir}`);
	process.exit(code);
}
