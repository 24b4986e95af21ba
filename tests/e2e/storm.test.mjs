// storm.test.mjs - the kill storm in short (tests/storm/storm.mjs), and with TEST_ALL=1 for minutes, also with finished files on another device.
import fs from 'node:fs';
import os from 'node:os';
import { check, everything } from './lib/server.mjs';
import { plainOnly, suite } from './lib/suite.mjs';

const storm = (t, ...args) => suite(t, 'tests/storm/storm.mjs', args, /kills \(|violations, |two days/);

check('kill_storm', t => storm(t, '--seconds', everything ? '180' : '8'), { timeout: everything ? 600000 : 180000, skip: plainOnly });

const elsewhere = '/dev/shm';
const device = dir => { try { return fs.statSync(dir).dev; } catch { return -1; } };
const why = plainOnly || (!everything ? 'only with TEST_ALL=1' : [-1, device(os.tmpdir())].includes(device(elsewhere)) ? 'no second device' : false);
check('kill_storm_with_finished_files_elsewhere', t => storm(t, '--seconds', '60', '--apart', elsewhere), { timeout: 400000, skip: why });
