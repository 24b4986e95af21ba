// suite.mjs - runs one of the large suites (kill storm, power cut) as a test, and shows what it measured.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { build, root } from './server.mjs';

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

// Its calls are recorded or stopped by a library of the plain build.
export const plainOnly = process.env.SANITIZED ? 'not in a build with sanitizers' : false;

// shown: which lines of its report. Exit code 77: it cannot work here.
export async function suite(t, script, args, shown) {
	const made = await run('scripts/build', [build, 'all', 'tools']);
	assert.equal(made.code, 0, made.text);
	const { code, text } = await run(process.execPath, [script, ...args]);
	if (code === 77) return t.skip(text.trim());
	assert.equal(code, 0, text);
	for (const l of text.split('\n').filter(x => shown.test(x))) t.diagnostic(l);
}
