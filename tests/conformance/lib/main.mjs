// main.mjs - the command line of the suite: reads the options, prints one line for each check, and counts.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { probe } from './context.mjs';
import { counts, load, schedule, select } from './suite.mjs';

const USAGE = `usage: run --base URL [options]

  --base URL          the URL to which uploads are created, e.g. https://example.org/files/
  --only LIST         numbers, ranges and beginnings of numbers: 034,037-039,D8
  --level LIST        of MUST, SHOULD, MAY, practice
  --header 'N: V'     on every request, e.g. an access key; may be repeated
  --origin URL        the page for which CORS is asked
  --control FILE      a module that does to the server what cannot be done from outside; README.md says what
  --json FILE         writes all results
  --jobs N            checks at a time (6)
  --keep              leaves the uploads there
  --list              tells the checks and asks nothing

Exit code 0: no check that applies failed; 1: some did; 2: the suite could not be run.`;

function parse(argv) {
	const o = { common: [], jobs: 6 };
	for (let i = 0; i < argv.length; i++) {
		const name = argv[i].replace(/^--/, '');
		if (['keep', 'list', 'help'].includes(name)) o[name] = true;
		else if (name === 'header') { const [, k, v] = /^([^:]+):\s*(.*)$/.exec(argv[++i] ?? '') ?? []; if (k) o.common.push([k, v]); else throw new Error(USAGE); }
		else if (['base', 'only', 'level', 'origin', 'control', 'json', 'jobs'].includes(name) && i + 1 < argv.length) o[name] = argv[++i];
		else throw new Error(USAGE);
	}
	return o;
}

export const line = r => `${r.outcome.padEnd(4)}  ${r.id.padEnd(5)}  ${r.title}${r.reason ? `: ${r.reason.split('\n')[0]}` : ''}`;

// Nothing of ours stays on somebody else's server.
async function tidy(t) {
	if (t.caps.extensions.includes('termination')) for (const url of t.mine) await t.remove(url).catch(() => {});
}

export async function main(argv) {
	const o = parse(argv);
	if (o.help) return console.log(USAGE), 0;
	let checks = select(await load(), o.only);
	if (o.level) checks = checks.filter(c => o.level.split(',').includes(c.level));
	if (o.list) return checks.forEach(c => console.log(`${c.id.padEnd(5)}  ${c.level.padEnd(8)}  ${c.title}  (${c.source})`)), 0;
	if (!o.base) throw new Error(USAGE);
	const control = o.control ? await import(pathToFileURL(path.resolve(o.control))) : {};
	const t = await probe({ base: o.base, common: o.common, control, origin: o.origin });
	const results = [], pending = schedule(checks, t, Number(o.jobs));
	for (const c of checks) {
		const r = await pending.get(c);
		console.log(line(r));
		results.push(r);
	}
	if (!o.keep) await tidy(t);
	const n = counts(results);
	console.log(`${n.pass} passed, ${n.fail} failed, ${n.na} not applicable`);
	if (o.json) fs.writeFileSync(o.json, JSON.stringify({ base: o.base, caps: t.caps, counts: n, results: results.map(({ error, ...r }) => r) }, null, '\t'));
	return n.fail ? 1 : 0;
}
