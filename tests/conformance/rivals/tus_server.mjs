// tus_server.mjs FOLDER [SETTINGS] - @tus/server with its file store on a free loopback port, as its manual starts it; prints the address.
//
// SETTINGS is JSON: expiration (ms), patience (ms that a request may take to arrive), maxSize. GET /finished tells how many uploads were finished.
// Ends with its standard input.
import http from 'node:http';
import { EVENTS, Server } from '@tus/server';
import { FileStore } from '@tus/file-store';

const [directory, settings = '{}'] = process.argv.slice(2);
const { expiration = 86400000, patience = 60000, maxSize } = JSON.parse(settings);
const tus = new Server({ path: '/files', maxSize, datastore: new FileStore({ directory, expirationPeriodInMilliseconds: expiration }) });

// A request that is cut at a bad moment would end the process; the rest of the list should be judged, too.
process.on('uncaughtException', e => console.error(`@tus/server would have ended: ${e.message}`));

let finished = 0;
tus.on(EVENTS.POST_FINISH, () => { finished++; });
const server = http.createServer({ requestTimeout: patience, connectionsCheckingInterval: 500 }, (req, res) =>
	(req.url === '/finished' ? res.end(String(finished)) : tus.handle(req, res)));
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/files`));
process.stdin.resume().on('end', () => process.exit());
