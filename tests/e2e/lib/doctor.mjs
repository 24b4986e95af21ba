// doctor.mjs - tusctl doctor, and installations with something wrong in them.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { build, root, scratch, start } from './server.mjs';

const ORIGIN = 'https://app.example.test';
export const SETTINGS = { WORKERS: 1, CORS_ORIGINS: ORIGIN };

// {code, told}: its exit code and what it says. It knows the settings of no server, and no data folder unless `env` has one.
export function doctor(url, args = [], env = {}) {
	return new Promise(done => {
		const own = { PATH: process.env.PATH, DATA_DIR: '/nonexistent', CORS_ORIGINS: ORIGIN, ...env };
		execFile(path.join(build, 'tusctl'), ['--json', 'doctor', url, ...args], { env: own }, (e, out, err) => {
			let told;
			try { told = JSON.parse(out); } catch { /* wrong usage */ }
			done({ code: e ? e.code : 0, told, err });
		});
	});
}

const codes = (told, kind) => told[kind].map(f => f.code).sort();

export function finds({ code, told }, fault, fact = []) {
	const what = JSON.stringify(told, null, 1);
	assert.deepEqual(codes(told, 'fault'), [...fault].sort(), what);
	assert.deepEqual(codes(told, 'fact'), [...fact].sort(), what);
	assert.equal(told.faults, fault.length);
	assert.equal(code, fault.length ? 1 : 0);
	for (const f of told.fault) {
		assert.ok(f.what && f.seen, `${f.code}: without a word`);
		assert.ok(f.nginx || f.Apache || f.lighttpd || f.or, `${f.code}: what is to be changed?`);
	}
}

// Nothing of what it made is left.
export function clean(server) {
	const list = execFileSync(path.join(build, 'tusctl'), ['--data', server.data, '--json', 'list'], { encoding: 'utf8' });
	for (const [name, rows] of Object.entries(JSON.parse(list))) assert.deepEqual(rows, [], name);
}

// The shipped files of a front with one change, and a server that runs by them.
export function planted(front, file, from, to) {
	const top = scratch();
	for (const d of ['scripts', 'nginx-conf', 'apache-conf']) fs.cpSync(path.join(root, d), path.join(top, d), { recursive: true });
	fs.writeFileSync(path.join(top, 'scripts/build'), '#!/bin/sh\n');   // it is built
	const text = fs.readFileSync(path.join(top, file), 'utf8');
	assert.ok(text.includes(from), `${file} has no ${from}`);
	fs.writeFileSync(path.join(top, file), text.replaceAll(from, () => to.replaceAll('%TOP%', top)));
	fs.chmodSync(top, 0o755);   // another user's web server reads from it
	return { top, launch: settings => start({ front, settings: { ...SETTINGS, ...settings }, program: path.join(top, 'scripts/run') }) };
}
