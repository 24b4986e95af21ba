// bench.mjs - figures for a quiet machine, never asserted: HEAD behind silent clients, hand-over, commits a second, final uploads, checksums. `make bench` runs it.
//
//   node tests/bench/bench.mjs [--build DIR] [--runs N] [--only head,handover,commit,concat,checksum] [--tries N] [--stopped N] [--slots N] [--extra N] [--seconds S] [--checked MIB] [--json FILE]
//
// Each figure is taken N times: "median (least-most)" over the runs. Files lie below TMPDIR (on the disk that is meant).
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { byKey, range, table } from './figures.mjs';

const { values: o } = parseArgs({
	options: {
		build: { type: 'string', default: 'build' }, runs: { type: 'string', default: '3' }, only: { type: 'string', default: 'head,handover,commit,concat,checksum' },
		tries: { type: 'string' }, stopped: { type: 'string', default: '20' }, slots: { type: 'string', default: '200' }, extra: { type: 'string', default: '400' }, seconds: { type: 'string', default: '1' }, parts: { type: 'string', default: '4' }, mib: { type: 'string', default: '512' }, checked: { type: 'string', default: '1024' }, json: { type: 'string' },
	},
});
const root = fileURLToPath(new URL('../../', import.meta.url));
process.env.TUS_BUILD = o.build;
const program = name => path.resolve(root, o.build, 'tests/bench', name);
const lines = text => text.trim().split('\n').map(l => JSON.parse(l));
const c = (name, args) => lines(execFileSync(program(name), args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }));
const of = (rows, name) => range(rows.map(r => r[name]));

const FRONTS = ['nginx', 'apache-proxy', 'lighttpd'];
const benches = {
	head: {
		async run() {
			execFileSync(path.join(root, 'scripts/install-deps'), ['build', 'run', 'fronts'], { stdio: 'inherit' });
			const { measureHead } = await import('./head.mjs');
			const out = [];
			for (const extra of [0, Number(o.extra)])
				for (const front of FRONTS) out.push(await measureHead(front, { slots: Number(o.slots), extra, tries: Number(o.tries ?? 1000) }));
			return out;
		},
		print: results => table('HEAD of other uploads while every body slot is held by a silent client, ms (target: p99 < 20, none but 2xx)',
			['front', 'slots', 'and refused', 'all taken', 'tries', 'p50', 'p99', 'max', 'not right'], byKey(results, r => `${r.front} ${r.extra}`).map(([, rows]) => [
				rows[0].front, rows[0].slots, rows[0].extra, rows.every(r => r.full) ? 'yes' : 'NO', rows[0].tries, of(rows, 'p50'), of(rows, 'p99'), of(rows, 'max'),
				JSON.stringify(Object.assign({}, ...rows.map(r => r.bad)))])),
	},
	handover: {
		run: async () => c('handover', ['--tries', o.tries ?? '200', '--stopped', o.stopped]),
		print: results => table('Hand-over: ms until the newcomer is answered, raw FastCGI and CGI (targets at p99: same process 5, other process 20, CGI 200)',
			['newcomer', "holder's client", 'method', 'tries', 'p50', 'p99', 'max', 'newcomer told', 'holder told'],
			byKey(results, r => `${r.newcomer} ${r.holder} ${r.method}`).map(([, rows]) => [rows[0].newcomer, rows[0].holder, rows[0].method,
				rows[0].tries, of(rows, 'p50'), of(rows, 'p99'), of(rows, 'max'), rows[0].newcomer_told, rows[0].holder_told])),
	},
	concat: {
		async run() {
			if (process.getuid() !== 0) throw new Error('concat mounts file systems of its own: only root can');
			execFileSync(path.join(root, 'scripts/install-deps'), ['build', 'run', 'bench'], { stdio: 'inherit' });
			const { measureConcat } = await import('./concat.mjs');
			const out = [];
			for (const fs of ['ext4', 'xfs']) out.push(await measureConcat(fs, { parts: Number(o.parts), mib: Number(o.mib) }));
			return out;
		},
		print: results => table('A final upload: ms until it is answered (target 50) and whole, HEAD meanwhile, disk in use over bytes (targets: ext4 1.3, with reflinks 1.05)',
			['file system', 'parts', 'MiB each', 'answer', 'whole', 'HEADs', 'HEAD p99', 'peak', 'after', 'bytes'], byKey(results, r => r.fs).map(([, rows]) => [
				rows[0].fs, rows[0].parts, rows[0].mib, of(rows, 'answer'), of(rows, 'whole'), of(rows, 'heads'), of(rows, 'head_p99'), of(rows, 'peak'), of(rows, 'after'),
				rows.every(r => r.right) ? 'right' : 'WRONG'])),
	},
	commit: {
		run: async () => c('commit', ['--seconds', o.seconds]),
		print: results => table('Durable operations a second at FULL, one process (create, chunk: one process without a door; shared: many in one commit; alone: one a commit)',
			['verb', 'clients', 'shared', 'alone', 'ratio'], byKey(results, r => `${r.verb} ${r.clients}`).map(([, rows]) => {
				const shared = rows.filter(r => r.shared), alone = rows.filter(r => !r.shared);
				return [rows[0].verb, rows[0].clients, of(shared, 'per_s'), ...(alone.length ? [of(alone, 'per_s'), range(shared.map((r, i) => r.per_s / alone[i].per_s))] : ['', ''])];
			})),
	},
	checksum: {
		async run() {
			const { measureChecksums } = await import('./checksum.mjs');
			return measureChecksums({ mib: Number(o.checked) });
		},
		print: results => table(`Upload-Checksum: a GiB through nginx and one worker in one PATCH (measured with ${o.checked} MiB)`,
			['algorithm', 'CPU s of the worker', 'more than unchecked', 'seconds'], byKey(results, r => r.algorithm).map(([name, rows]) => [name, of(rows, 'cpu'),
				of(rows, 'more'), of(rows, 'seconds')])),
	},
};

const results = [];
const only = o.only.split(',');
for (let run = 0; run < Number(o.runs); run++)
	for (const name of only) {
		process.stderr.write(`run ${run + 1} of ${o.runs}: ${name}\n`);
		for (const r of await benches[name].run()) results.push({ bench: name, run, ...r });
	}
const machine = { cpus: os.cpus().length, kernel: os.release(), load: os.loadavg()[0] };
console.log(`${machine.cpus} CPUs, Linux ${machine.kernel}, load ${machine.load.toFixed(1)}, ${o.runs} runs: median (least-most)\n`);
for (const name of only) console.log(benches[name].print(results.filter(r => r.bench === name)));
if (o.json) fs.writeFileSync(o.json, JSON.stringify({ machine, results }, null, '\t') + '\n');
