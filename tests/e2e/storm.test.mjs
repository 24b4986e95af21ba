// storm.test.mjs - the kill storm in short (tests/storm/storm.mjs), and with TEST_ALL=1 for minutes, also with finished files on another device.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { build, check, everything, root } from './lib/server.mjs';

const children = new Set();
process.on('exit', () => { for (const c of children) c.kill('SIGTERM'); });

function run(file, args) {
	return new Promise((done, fail) => {
		const child = spawn(file, args, { cwd: root, env: { ...process.env, TUS_BUILD: build }, stdio: ['ignore', 'pipe', 'pipe'] });
		let text = '';
		children.add(child);
		for (const s of [child.stdout, child.stderr]) s.on('data', d => { text += d; });
		child.on('error', fail);
		child.on('close', code => { children.delete(child); done({ code, text }); });
	});
}

async function storm(t, ...args) {
	const made = await run('scripts/build', [build, 'all', `${build}/tests/shim.so`, `${build}/tests/rows`]);
	assert.equal(made.code, 0, made.text);
	const { code, text } = await run(process.execPath, ['tests/storm/storm.mjs', ...args]);
	assert.equal(code, 0, text);
	for (const l of text.split('\n').filter(x => /kills \(|violations, |two days/.test(x))) t.diagnostic(l);
}

check('kill_storm', t => storm(t, '--seconds', everything ? '180' : '8'), { timeout: everything ? 600000 : 180000 });

const elsewhere = '/dev/shm';
const device = dir => { try { return fs.statSync(dir).dev; } catch { return -1; } };
const why = !everything ? 'only with TEST_ALL=1' : [-1, device(os.tmpdir())].includes(device(elsewhere)) ? 'no second device' : false;
check('kill_storm_with_finished_files_elsewhere', t => storm(t, '--seconds', '60', '--apart', elsewhere), { timeout: 400000, skip: why });
