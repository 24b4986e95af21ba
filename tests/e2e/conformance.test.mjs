// conformance.test.mjs - the conformance suite against our server behind nginx, one test a check.
import { after, test } from 'node:test';
import { useServer } from './lib/server.mjs';
import { controlOf } from './lib/control.mjs';
import { probe } from '../conformance/lib/context.mjs';
import { load, schedule, testName } from '../conformance/lib/suite.mjs';

const server = useServer({ settings: { WORKERS: 3, LOCK_WAIT_MS: 500, TUS_MAX_SIZE: 16 << 20 } });
const checks = await load();

// Checks are begun some at a time ahead of the tests that tell of them: only those that are asked for.
const pattern = process.execArgv.find(a => a.startsWith('--test-name-pattern='))?.replace(/^[^=]*=/, '');
const wanted = checks.filter(c => !pattern || new RegExp(pattern).test(testName(c)));

let control, results;
async function begin() {
	control = controlOf(server);
	return schedule(wanted, await probe({ base: `${server.url}/files/`, control }));
}
after(() => control?.stop());

for (const c of checks)
	test(testName(c), { timeout: 120000 }, async t => {
		results ??= begin();
		const r = await (await results).get(c);
		if (r.outcome === 'FAIL') throw r.error;
		if (r.outcome === 'n/a') t.skip(r.reason);
	});
