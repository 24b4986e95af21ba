// figures.mjs - what the benches share: percentiles, medians with their range, tables.

const sorted = list => [...list].sort((a, b) => a - b);

// The value below which a share p of the list lies (nearest rank).
export function percentile(list, p) {
	const s = sorted(list);
	return s[Math.max(0, Math.ceil(p * s.length) - 1)];
}

export const summary = ms => ({ tries: ms.length, p50: percentile(ms, 0.5), p99: percentile(ms, 0.99), max: percentile(ms, 1) });

const number = x => (x >= 100 ? x.toFixed(0) : x >= 10 ? x.toFixed(1) : x.toFixed(2));

// "median (least-most)" of one figure over runs.
export function range(values) {
	const s = sorted(values);
	return s.length === 1 ? number(s[0]) : `${number(percentile(s, 0.5))} (${number(s[0])}-${number(s[s.length - 1])})`;
}

export function table(title, head, rows) {
	const all = [head, ...rows].map(r => r.map(String));
	const width = head.map((_, i) => Math.max(...all.map(r => r[i].length)));
	const line = r => r.map((c, i) => c.padEnd(width[i])).join('  ').trimEnd();
	return [title, ...[all[0], width.map(w => '-'.repeat(w)), ...all.slice(1)].map(r => '  ' + line(r)), ''].join('\n');
}

// Results of several runs, [{key, ...}], by key in their first order.
export function byKey(results, key) {
	const out = new Map();
	for (const r of results) out.set(key(r), [...(out.get(key(r)) ?? []), r]);
	return [...out.entries()];
}
