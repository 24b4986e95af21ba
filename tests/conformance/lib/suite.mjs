// suite.mjs - loads the checks, runs them some at a time, and gives one result for each.
import fs from 'node:fs';
import { NotApplicable } from './context.mjs';

const folder = new URL('../checks/', import.meta.url);

// What order and selection go by: 037 before D3-01 before D4-01.
const key = id => id.replace(/\d+/g, n => n.padStart(4, '0'));

// All checks of checks/*.mjs in the order of their numbers.
export async function load() {
	const all = [];
	for (const f of fs.readdirSync(folder).sort()) if (f.endsWith('.mjs')) all.push(...(await import(new URL(f, folder))).default);
	const ids = all.map(c => c.id);
	const twice = ids.filter((id, i) => ids.indexOf(id) !== i);
	if (twice.length) throw new Error(`numbers given twice: ${twice}`);
	return all.sort((a, b) => (key(a.id) < key(b.id) ? -1 : 1));
}

// "034,037-039,D8": numbers, ranges, and beginnings of numbers with letters.
export function select(checks, only) {
	if (!only) return checks;
	const parts = only.split(',').map(p => p.split('-').map(Number).every(n => n > 0) ? p.split('-').map(n => n.padStart(3, '0')) : p);
	return checks.filter(c => parts.some(p => Array.isArray(p) ? c.id >= p[0] && c.id <= p.at(-1) && /^\d+$/.test(c.id) : c.id.startsWith(p)));
}

// The name of a check as a test.
export const testName = c => `check_${c.id}_${c.title}`.replace(/[^A-Za-z0-9]+/g, '_').replace(/_$/, '');

async function judge(c, t) {
	const missing = (c.needs ?? []).find(e => !t.caps.extensions.includes(e));
	if (missing) return { outcome: 'n/a', reason: `${missing} is not announced` };
	try {
		await c.run(t);
		return { outcome: 'pass' };
	} catch (e) {
		if (e instanceof NotApplicable) return { outcome: 'n/a', reason: e.message };
		// A case may have a lower level than its check.
		const [, level] = /\((practice|MAY|SHOULD)\b/.exec(e.message) ?? [];
		return { outcome: 'FAIL', reason: e.message, error: e, ...(level && { level }) };
	}
}

async function timed(c, t) {
	const began = Date.now(), { id, title, level, source } = c;
	return { id, title, level, source, ...await judge(c, t), ms: Date.now() - began };
}

// Starts the checks, `width` at a time; those that want the server for themselves (`alone`) come after the others, one by one.
// Gives a map from check to the promise of its result.
export function schedule(checks, t, width = 6) {
	const results = new Map();
	const order = [...checks.filter(c => !c.alone), ...checks.filter(c => c.alone)];
	const running = new Set();
	let last = Promise.resolve();
	for (const c of order) {
		const turn = last.then(async () => {
			while (running.size >= (c.alone ? 1 : width)) await Promise.race(running);
			const result = timed(c, t);
			running.add(result);
			result.then(() => running.delete(result));
			return { result };
		});
		last = turn;
		results.set(c, turn.then(x => x.result));
	}
	return results;
}

export const counts = results => {
	const n = o => results.filter(r => r.outcome === o).length;
	return { pass: n('pass'), fail: n('FAIL'), na: n('n/a') };
};
