// power.test.mjs - power cuts in short: replayed from what a pool did to its files, and with TEST_ALL=1 on a real file system as well.
import { check, everything } from './lib/server.mjs';
import { plainOnly, suite } from './lib/suite.mjs';

const short = ['--seconds', '1', '--states', '8'];
check('power_cut_replayed', t => suite(t, 'tests/power/replay.mjs', everything ? [] : short, /violations/), { timeout: 600000, skip: plainOnly });
check('power_cut', t => suite(t, 'tests/power/power.mjs', ['--rounds', '20'], /violations/), { timeout: 900000, skip: plainOnly || (everything ? false : 'only with TEST_ALL=1') });
