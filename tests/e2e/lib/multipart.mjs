// multipart.mjs - multipart/form-data bodies, byte for byte as the test wants them.

// parts: [{name, value}] for text fields, [{name, filename, type, data}] for files, [{raw}] for bytes as they are.
// Gives {body, headers} for http.mjs.
export function multipart(parts, { boundary = '----e2eBoundary7MA4YWxkTrZu0gW', closing = true, preamble = '' } = {}) {
	const out = [Buffer.from(preamble)];
	for (const p of parts) {
		if (p.raw !== undefined) {
			out.push(Buffer.from(p.raw));
			continue;
		}
		let head = `--${boundary}\r\nContent-Disposition: form-data; name="${p.name}"`;
		if (p.filename !== undefined) head += `; filename="${p.filename}"`;
		if (p.disposition) head += p.disposition;
		head += '\r\n';
		if (p.filename !== undefined || p.type) head += `Content-Type: ${p.type ?? 'application/octet-stream'}\r\n`;
		out.push(Buffer.from(head + '\r\n'), Buffer.from(p.data ?? String(p.value)), Buffer.from('\r\n'));
	}
	if (closing) out.push(Buffer.from(`--${boundary}--\r\n`));
	return { body: Buffer.concat(out), headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}` } };
}

// The recorder's chunk form. Fields that are undefined are left out; the file stands last, as browsers send it.
export function chunkForm(fields, data) {
	const parts = Object.entries(fields).filter(([, v]) => v !== undefined).map(([name, value]) => ({ name, value }));
	parts.push({ name: 'file', filename: 'blob', type: 'audio/webm', data });
	return multipart(parts);
}

export const form = fields => ({
	body: Buffer.from(new URLSearchParams(fields).toString()),
	headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
});
