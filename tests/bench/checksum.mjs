// checksum.mjs - CPU seconds of the pool for one PATCH of many bytes that has to be checked by an algorithm, and for one that has not.
import fs from 'node:fs';
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { start } from '../e2e/lib/server.mjs';
import { made, openPatch, remove } from '../e2e/lib/tus.mjs';

const MIB = 1 << 20;
const TICKS = 100;              // of a second in /proc (USER_HZ)

const big_endian = n => { const b = Buffer.alloc(4); b.writeUInt32BE(n >>> 0); return b; };

function crc32c_table() {
	return Uint32Array.from({ length: 256 }, (_, b) => {
		let c = b;
		for (let i = 0; i < 8; i++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
		return c >>> 0;
	});
}

// The checksum of n times the same piece.
const sums = {
	crc32(piece, n) {
		let c = 0;
		for (let i = 0; i < n; i++) c = crc32(piece, c);
		return big_endian(c);
	},
	crc32c(piece, n) {
		const table = crc32c_table();
		let c = 0xffffffff;
		for (let i = 0; i < n; i++) for (let j = 0; j < piece.length; j++) c = table[(c ^ piece[j]) & 255] ^ (c >>> 8);
		return big_endian(~c);
	},
};
for (const name of ['sha1', 'sha256', 'sha512', 'md5'])
	sums[name] = (piece, n) => {
		const h = createHash(name);
		for (let i = 0; i < n; i++) h.update(piece);
		return h.digest();
	};

// Since their start, of all workers.
function cpu_seconds(server) {
	let ticks = 0;
	for (const pid of server.workers()) {
		const fields = fs.readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /, '').split(' ');
		ticks += Number(fields[11]) + Number(fields[12]);
	}
	return ticks / TICKS;
}

async function patched(server, piece, n, headers) {
	const url = await made(server, { length: piece.length * n });
	const from = cpu_seconds(server), began = process.hrtime.bigint();
	const c = await openPatch(server, url, 0, piece.length * n, headers);
	for (let i = 0; i < n; i++) await c.send(piece);
	const res = await c.answer({ method: 'PATCH', timeout: 600000 });
	if (res.status !== 204) throw new Error(`PATCH answered ${res.status}`);
	const seconds = Number(process.hrtime.bigint() - began) / 1e9, cpu = cpu_seconds(server) - from;
	c.close();
	await remove(server, url);
	return { seconds, cpu };
}

const known = {};

// One figure an algorithm, a GiB: [{algorithm, cpu, more (than unchecked), seconds}].
export async function measureChecksums({ mib = 1024 } = {}) {
	const server = await start({ settings: { WORKERS: 1, LOG_LEVEL: 'warning' } });
	const piece = Buffer.alloc(MIB, 0);
	for (let i = 0; i < MIB; i++) piece[i] = (i * 2654435761) >>> 13;
	try {
		const out = [];
		const gib = x => x * 1024 / mib;
		await patched(server, piece, 16, {});
		for (const algorithm of ['none', ...Object.keys(sums)]) {
			const value = algorithm === 'none' ? null : known[`${algorithm} ${mib}`] ??= sums[algorithm](piece, mib).toString('base64');
			const r = await patched(server, piece, mib, value ? { 'Upload-Checksum': `${algorithm} ${value}` } : {});
			out.push({ algorithm, mib, cpu: gib(r.cpu), more: gib(r.cpu) - (out[0]?.cpu ?? gib(r.cpu)), seconds: gib(r.seconds) });
		}
		return out;
	} finally {
		await server.stop();
	}
}
