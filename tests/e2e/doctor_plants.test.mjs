// doctor_plants.test.mjs - tusctl doctor finds each fault that is planted in a shipped configuration, and names nothing else.
import fs from 'node:fs';
import { check } from './lib/server.mjs';
import { clean, doctor, finds, planted } from './lib/doctor.mjs';

const NGINX = 'nginx-conf/tus.conf.in', ANSWERS = 'apache-conf/tus-answers.conf', LIGHTTPD = 'scripts/lighttpd.conf.in';
const AT_LOCATION = '\t\t\t# never fastcgi_keep_conn', AT_SERVER = '\t\tmerge_slashes off;';

const before = (place, ...lines) => [place, lines.map(l => `\t\t\t${l}\n`).join('') + place];

const CACHE = 'fastcgi_cache_path %TOP%/cache keys_zone=tus:1m;\n\tserver {\n\t\tfastcgi_cache tus; fastcgi_cache_valid 200 1m;\n'
	+ '\t\tfastcgi_cache_key "$request_method $request_uri"; fastcgi_ignore_headers Cache-Control Expires Vary;\n';

// [name, front, file, [from, to], codes, more]
const plants = [
	['nginx_bodies_are_buffered', 'nginx', NGINX, ['fastcgi_request_buffering off;', 'fastcgi_request_buffering on;'], ['body_buffered']],
	['nginx_a_body_has_at_most_1_MiB', 'nginx', NGINX, ['client_max_body_size 0;', 'client_max_body_size 1m;'], ['body_limit']],
	['nginx_a_body_has_at_most_100_KiB', 'nginx', NGINX, ['client_max_body_size 0;', 'client_max_body_size 100k;'], ['body_limit']],
	['nginx_PATCH_and_DELETE_are_forbidden', 'nginx', NGINX, before(AT_LOCATION, 'limit_except GET POST PUT OPTIONS { deny all; }'), ['method_blocked']],
	['nginx_Authorization_is_dropped', 'nginx', NGINX, before(AT_LOCATION, 'fastcgi_param HTTP_AUTHORIZATION "";'), ['authorization_lost']],
	['nginx_own_errors_are_without_CORS', 'nginx', NGINX, ['add_header Access-Control-Allow-Origin $tus_origin always;', ''], ['cors_errors']],
	['nginx_CORS_is_added_twice', 'nginx', NGINX, ['Access-Control-Allow-Origin $tus_origin always', 'Access-Control-Allow-Origin $http_origin always'], ['cors_twice']],
	['nginx_OPTIONS_is_answered_by_the_web_server', 'nginx', NGINX, before(AT_LOCATION, 'if ($request_method = OPTIONS) { return 204; }'), ['method_blocked', 'preflight']],
	['nginx_long_headers_are_refused', 'nginx', NGINX, ['large_client_header_buffers 4 32k;', 'large_client_header_buffers 4 4k;'], ['request_headers']],
	['nginx_long_answers_are_refused', 'nginx', NGINX, ['fastcgi_buffer_size 16k;', 'fastcgi_buffer_size 4k;'], ['answer_headers']],
	['nginx_Location_leads_elsewhere', 'nginx', NGINX,
		before(AT_LOCATION, 'fastcgi_hide_header Location;', 'add_header Location http://elsewhere.example$upstream_http_location always;',
			'add_header Access-Control-Allow-Origin $tus_origin always;'), ['location']],
	['nginx_all_answers_are_cached', 'nginx', NGINX, ['server {\n', CACHE], ['answers_cached']],
	['nginx_HEAD_is_cached', 'nginx', NGINX, ['server {\n', `${CACHE}set $fresh 1; if ($request_method = HEAD) { set $fresh ""; } fastcgi_cache_bypass $fresh; fastcgi_no_cache $fresh;`],
		['answers_cached']],
	['nginx_no-store_is_dropped', 'nginx', NGINX, before(AT_LOCATION, 'fastcgi_hide_header Cache-Control;'), ['no_store_lost']],
	['nginx_downloads_are_compressed', 'nginx', NGINX, before(AT_SERVER, 'gzip on; gzip_types *; gzip_min_length 1;'), ['compressed'], { args: ['--finish'] }],
	['nginx_a_pause_ends_a_body', 'nginx', NGINX, ['client_body_timeout 300s;', 'client_body_timeout 1s;'], ['body_timeout'], { pause: 3 }],
	['nginx_the_paths_lead_elsewhere', 'nginx', NGINX, ['location / {', 'location /elsewhere/ {'], ['base_path']],
	['apache-proxy_Authorization_is_dropped', 'apache-proxy', ANSWERS, ['CGIPassAuth On', ''], ['authorization_lost']],
	['apache-proxy_Content-Length_is_dropped', 'apache-proxy', ANSWERS, ['SetEnvIf Request_URI "." ap_trust_cgilike_cl=1', ''], ['length_lost'], { args: ['--finish'] }],
	['apache-proxy_DELETE_and_PATCH_are_forbidden', 'apache-proxy', ANSWERS, ['CGIPassAuth On', 'CGIPassAuth On\n<LimitExcept GET POST PUT OPTIONS>\nRequire all denied\n</LimitExcept>'],
		['method_blocked']],
	['lighttpd_bodies_are_buffered', 'lighttpd', LIGHTTPD, ['server.stream-request-body = 1', 'server.stream-request-body = 0'], ['body_buffered'], { fact: [] }],
	['lighttpd_long_headers_are_refused', 'lighttpd', LIGHTTPD, ['server.max-request-field-size = 32768', 'server.max-request-field-size = 8192'], ['request_headers']],
];

for (const [name, front, file, [from, to], fault, { pause = 1, args = [], fact = front === 'lighttpd' ? ['chunked_refused'] : [] } = {}] of plants)
	check(name, async () => {
		const { top, launch } = planted(front, file, from, to);
		const server = await launch({});
		try {
			finds(await doctor(server.url, ['--pause', `${pause}`, ...args]), fault, fact);
			clean(server);
		} finally {
			await server.stop();
		}
		fs.rmSync(top, { recursive: true });
	});
