// rivals.mjs - starts other tus servers, with control modules like that of our own.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { request, until } from '../lib/http.mjs';

const script = fileURLToPath(new URL('tus_server.mjs', import.meta.url));

async function begin(folder, settings, children) {
	const child = spawn(process.execPath, [script, folder, JSON.stringify(settings)], { stdio: ['pipe', 'pipe', 'inherit'] });
	children.push(child);
	let text = '';
	child.stdout.on('data', d => { text += d; });
	await until(() => /^http.*\n/.test(text) || child.exitCode !== null, { what: 'address of @tus/server' });
	if (child.exitCode !== null) throw new Error('@tus/server did not start');
	return text.trim();
}

// {name, base, control, stop}. Two processes serve the same folder.
export async function tusServer({ maxSize }) {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tus-rival-')), children = [];
	const own = name => { const dir = path.join(folder, name); fs.mkdirSync(dir); return dir; };
	const main = own('main'), base = await begin(main, { maxSize }, children), other = await begin(main, { maxSize }, children);
	const bodies = () => fs.readdirSync(main).filter(f => !f.endsWith('.json')).map(f => path.join(main, f));
	const size = f => { try { return fs.statSync(f); } catch { return { size: -1, blocks: 0 }; } };
	const lazily = settings => { let at; return () => (at ??= begin(own(JSON.stringify(settings).replace(/\W/g, '')), { maxSize, ...settings }, children)); };
	const finished = async url => Number((await request(url, 'GET', '/finished')).text);
	return {
		name: '@tus/server', base,
		control: {
			baseOther: () => other,
			baseHasty: lazily({ expiration: 4000 }),
			baseImpatient: lazily({ patience: 2000 }),
			arrived: n => until(() => bodies().some(f => size(f).size === n), { what: `file of ${n} bytes` }),
			files: () => new Map(bodies().map(f => [path.basename(f), size(f).blocks * 512])),
			stored: data => bodies().some(f => fs.readFileSync(f).subarray(0, data.length).equals(data)),
			finishedTotal: async () => await finished(base) + await finished(other),
		},
		stop: async () => {
			await Promise.all(children.map(c => new Promise(done => { if (c.exitCode !== null) return done(); c.on('exit', done); c.stdin.end(); })));
			fs.rmSync(folder, { recursive: true, force: true });
		},
	};
}
