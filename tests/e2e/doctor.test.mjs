// doctor.test.mjs - tusctl doctor on installations that are as shipped, with settings that do not fit, and behind proxies that meddle.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { build, check, scratch, start, useServer } from './lib/server.mjs';
import { clean, doctor, finds, planted, SETTINGS } from './lib/doctor.mjs';

// ---- the shipped ones

for (const [name, front] of [['nginx_as_shipped', 'nginx'], ['apache_as_shipped', 'apache-proxy'], ['lighttpd_as_shipped', 'lighttpd']]) {
	const server = useServer({ front, settings: { ...SETTINGS, BASE_PATH: '/up' } });
	check(name, async () => {
		const res = await doctor(server.url, ['--pause', '1', '--finish'], { DATA_DIR: server.data });
		finds(res, [], front === 'lighttpd' ? ['chunked_refused'] : []);
		assert.equal(res.told.untried.length, 1, JSON.stringify(res.told.untried));
		clean(server);
		finds(await doctor(server.url.replace('/up', '')), ['base_path']);
	});
}

// ---- settings

// [name, settings, codes, facts]
const settings = [
	['settings_clocks_disagree', { TEST_CLOCK_OFFSET: 7200 }, ['clock']],
	['settings_there_is_no_space', { MIN_FREE_SPACE: '1000T' }, ['space']],
	['settings_the_host_is_not_listed', { ALLOWED_HOSTS: 'elsewhere.example' }, ['host_refused']],
	['settings_HTTPS_is_demanded', { FORCE_HTTPS: 'true' }, ['https_wanted']],
	['settings_a_key_is_demanded', { REQUIRE_AUTH: 'true' }, ['key']],
	['settings_tus_is_off', { TUS_ENABLED: 'false' }, ['create']],
	['settings_small_pieces', { MAX_PATCH_SIZE: '100K' }, []],
	['settings_nothing_can_be_deleted', { TUS_EXTENSIONS_OFF: 'termination' }, [], ['left_behind']],
];
for (const [name, set, fault, fact] of settings)
	check(name, async () => {
		const server = await start({ settings: { ...SETTINGS, ...set } });
		try {
			finds(await doctor(server.url, ['--pause', '1']), fault, fact);
			if (!set.REQUIRE_AUTH) return;
			const key = execFileSync(path.join(build, 'tusctl'), ['--data', server.data, 'key', 'add', 'ann'], { encoding: 'utf8' }).trim();
			finds(await doctor(server.url, ['--pause', '1', '--key', key]), []);
		} finally {
			await server.stop();
		}
	});

// ---- TLS

check('tls_a_certificate_that_nobody_signed_and_http_2', async () => {
	const dir = scratch();
	execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=elsewhere.example', '-days', '2', '-keyout', `${dir}/key`, '-out', `${dir}/cert`],
		{ stdio: 'ignore' });
	const { top, launch } = planted('nginx', 'nginx-conf/tus.conf.in', '@HOST@:@PORT@@LISTEN@ backlog=1024;', `@HOST@:@PORT@ ssl http2 backlog=1024; ssl_certificate ${dir}/cert; ssl_certificate_key ${dir}/key;`);
	const server = await launch({});
	const url = server.url.replace('http:', 'https:');
	try {
		finds(await doctor(url, ['--pause', '1']), ['tls_certificate'], ['http_2']);
		finds(await doctor(url, ['--pause', '1', '--insecure']), [], ['http_2']);
		finds(await doctor(server.url), ['base_path']);   // plain HTTP to a TLS port
	} finally {
		await server.stop();
	}
	for (const d of [top, dir]) fs.rmSync(d, { recursive: true });
});

// ---- a meddling proxy

const behind = useServer({ settings: SETTINGS });

// meddle(req, res): true if it has answered; change(body) gives another status and body for /health; expect: it refuses Expect. fn gets its URL.
async function proxy({ meddle = () => false, change, expect }, fn) {
	const server = http.createServer((req, res) => {
		if (meddle(req, res)) return req.resume();
		const to = http.request(behind.url + req.url, { method: req.method, headers: { ...req.headers, host: 'localhost' } }, from => {
			if (!change || !req.url.startsWith('/health?')) {
				res.writeHead(from.statusCode, from.headers);
				return from.pipe(res);
			}
			let text = '';
			from.on('data', d => { text += d; }).on('end', () => {
				const [status, body] = change(JSON.parse(text));
				res.writeHead(status, { 'x-request-id': from.headers['x-request-id'] });
				res.end(JSON.stringify(body));
			});
		});
		to.on('error', () => res.destroy());
		req.on('close', () => { if (!req.complete) to.destroy(); });
		req.pipe(to);
	});
	if (expect) server.on('checkContinue', (req, res) => { res.writeHead(417); res.end(); });
	await new Promise(done => server.listen(0, '127.0.0.1', done));
	try {
		await fn(`http://127.0.0.1:${server.address().port}`);
	} finally {
		server.closeAllConnections();
		await new Promise(done => server.close(done));
	}
}

const says = (status, headers = {}) => (req, res) => { res.writeHead(status, headers); res.end('no'); return true; };
const unwell = o => ({ ...o, status: 'degraded', database: { ...o.database, writable: false } });
const meddlers = [
	['proxy_nobody_behind_it', { meddle: says(502) }, ['pool_away']],
	['proxy_a_login', { meddle: says(401) }, ['login']],
	['proxy_a_redirect', { meddle: says(301, { location: 'https://elsewhere.example/' }) }, ['redirect']],
	['proxy_another_server', { meddle: says(200) }, ['base_path']],
	['proxy_a_firewall', { meddle: (req, res) => req.headers['content-length'] > 0 && req.headers['content-type'] === 'application/offset+octet-stream' && says(406)(req, res) },
		['body_refused']],
	['proxy_no_Range', { meddle: req => { delete req.headers.range; return false; } }, ['range_lost'], ['--finish']],
	['proxy_no_Expect', { expect: true }, ['expect']],
	['proxy_another_version', { change: o => [200, { ...o, version: '0.0.1' }] }, ['versions']],
	['proxy_a_sick_server', { change: o => [503, unwell(o)] }, ['unwell']],
];
for (const [name, how, fault, args = []] of meddlers)
	check(name, () => proxy(how, async url => finds(await doctor(url, ['--pause', '1', ...args], { CORS_ORIGINS: '*' }), fault)));

// ---- this machine, and what it cannot try

check('a_database_without_wal_and_a_full_disk', async () => {
	const dir = scratch();
	fs.mkdirSync(`${dir}/tus_sessions`);
	const head = wal => Buffer.concat([Buffer.from('SQLite format 3\0\x10\0'), Buffer.from([wal, wal, 0, 0])]);
	for (const [wal, fault] of [[1, ['no_wal']], [2, []]]) {
		fs.writeFileSync(`${dir}/tus_sessions/tus.db`, head(wal));
		finds(await doctor(behind.url, ['--pause', '1'], { DATA_DIR: dir }), fault);
	}
	fs.mkdirSync(`${dir}/tus_uploads`);
	finds(await doctor(behind.url, ['--pause', '1'], { DATA_DIR: dir, MIN_FREE_SPACE: '1000T' }), ['space']);
	fs.rmSync(dir, { recursive: true });
});

check('what_cannot_be_tried_is_exit_2_and_wrong_usage_too', async () => {
	const free = http.createServer();
	await new Promise(done => free.listen(0, '127.0.0.1', done));
	const { port } = free.address();
	await new Promise(done => free.close(done));
	const res = await doctor(`http://127.0.0.1:${port}/`);
	assert.equal(res.code, 2, JSON.stringify(res));
	assert.deepEqual(res.told.fault, []);
	assert.equal(res.told.untried[0].what, 'anything');
	for (const args of [['ftp://x/'], ['http:///x'], ['http://a b/'], ['http://u:p@x/'], ['http://x/?q'], ['http://x/', 'y'], ['http://x/', '--key'], ['http://x/', '--pause', '0']]) {
		const wrong = await doctor(args[0], args.slice(1));
		assert.equal(wrong.code, 2, args.join(' '));
		assert.match(wrong.err, /usage: tusctl/, args.join(' '));
	}
});
