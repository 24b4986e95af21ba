// concat.mjs - a final upload of long parts on a file system of its own: how soon it is answered, what HEAD says meanwhile, how much of the disk it takes at the peak.
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { scratch, start } from '../e2e/lib/server.mjs';
import { create, head, made } from '../e2e/lib/tus.mjs';
import { percentile } from './figures.mjs';

const BLOCK = 1 << 20, LOOK_MS = 5, META_MIB = 400;

function must(file, ...args) {
	const r = spawnSync(file, args, { encoding: 'utf8', env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` } });
	if (r.status !== 0) throw new Error(`${file} ${args.join(' ')}: ${r.error?.message ?? (r.stderr || r.stdout).trim()}`);
}

const MAKE = { ext4: ['mkfs.ext4', '-q', '-F', '-m', '0'], xfs: ['mkfs.xfs', '-q', '-f', '-m', 'reflink=1'] };

// Block i of a part: no two are alike.
function block(seed, part, i) {
	const b = Buffer.from(seed);
	for (let at = 0; at < b.length; at += 4096) b.writeUInt32LE((part << 24 | i << 8 | at >> 12) >>> 0, at);
	return b;
}

function send(server, url, seed, part, mib, sum) {
	return new Promise((done, fail) => {
		const req = http.request({ host: '127.0.0.1', port: server.port, method: 'PATCH', path: url, headers: {
			'Tus-Resumable': '1.0.0', 'Upload-Offset': 0, 'Content-Type': 'application/offset+octet-stream', 'Content-Length': mib * BLOCK } }, res => {
			res.resume();
			res.on('end', () => (res.statusCode === 204 ? done() : fail(new Error(`PATCH answered ${res.statusCode}`))));
		});
		req.on('error', fail);
		let i = 0;
		const more = () => {
			while (i < mib) {
				const b = block(seed, part, i++);
				sum.update(b);
				if (!req.write(b)) return req.once('drain', more);
			}
			req.end();
		};
		more();
	});
}

const used = mount => { const s = fs.statfsSync(mount); return (s.blocks - s.bfree) * s.bsize; };

// The most that is in use until the upload is whole, and what HEAD says of it.
async function watch(server, url, mount, length) {
	let most = 0;
	const ms = [];
	for (;;) {
		most = Math.max(most, used(mount));
		const from = process.hrtime.bigint();
		const res = await head(server, url);
		ms.push(Number(process.hrtime.bigint() - from) / 1e6);
		if (res.status !== 200 || res.headers['upload-length'] !== String(length)) throw new Error(`HEAD answered ${res}`);
		if (res.headers['upload-offset'] === String(length)) return { most, ms };
		if (res.headers['upload-offset'] !== undefined) throw new Error(`HEAD tells an offset too early: ${res}`);
		await new Promise(r => setTimeout(r, LOOK_MS));
	}
}

function sha(server, url) {
	return new Promise((done, fail) => http.get({ host: '127.0.0.1', port: server.port, path: url }, res => {
		const sum = crypto.createHash('sha256');
		res.on('data', d => sum.update(d));
		res.on('end', () => done(`${res.statusCode} ${sum.digest('hex')}`));
	}).on('error', fail));
}

async function measure(server, fsname, mount, parts, mib) {
	const seed = crypto.randomBytes(BLOCK), sum = crypto.createHash('sha256'), urls = [], length = parts * mib * BLOCK;
	const before = used(mount);
	for (let i = 0; i < parts; i++) {
		urls.push(await made(server, { length: mib * BLOCK, headers: { 'Upload-Concat': 'partial' } }));
		await send(server, urls[i], seed, i, mib, sum);
	}
	const data = used(mount) - before;
	const from = process.hrtime.bigint();
	const res = await create(server, { headers: { 'Upload-Concat': `final;${urls.join(' ')}` } });
	const answer = Number(process.hrtime.bigint() - from) / 1e6;
	if (res.status !== 201) throw new Error(`final answered ${res}`);
	const { most, ms } = await watch(server, res.headers.location, mount, length);
	const whole = Number(process.hrtime.bigint() - from) / 1e6;
	const after = used(mount) - before;
	const right = await sha(server, res.headers.location) === `200 ${sum.digest('hex')}`;
	return { fs: fsname, parts, mib, answer, whole, head_p99: percentile(ms, 0.99), heads: ms.length, data_mib: data / BLOCK, peak: (most - before) / length,
		after: after / length, right };
}

export async function measureConcat(fsname, { parts, mib }) {
	const dir = scratch(), image = path.join(dir, 'disk.img'), mount = path.join(dir, 'disk');
	let server, mounted = false;
	try {
		fs.mkdirSync(mount);
		fs.writeFileSync(image, '');
		fs.truncateSync(image, Math.ceil(parts * mib * 1.5 + META_MIB) * BLOCK);
		must(MAKE[fsname][0], ...MAKE[fsname].slice(1), image);
		must('mount', '-o', 'loop', image, mount);
		mounted = true;
		server = await start({ dataDir: path.join(mount, 'data') });
		return await measure(server, fsname, mount, parts, mib);
	} finally {
		await server?.stop();
		if (mounted) must('umount', mount);
		fs.rmSync(dir, { recursive: true, force: true });
	}
}
