-- lighttpd-answers.lua - what lighttpd itself answers in the application's place; used by mod_magnet at the start of each answer.
--
-- tus-js-client begins an upload again from byte 0 on any failed HEAD but 423, so a HEAD must not see a 502 or 503, nor the 403 or 404 of a CGI
-- program that is not there. And a page must be able
-- to read an error. Every answer of the application carries X-Request-Id and is left alone. origins.lua beside this file returns the
-- origins of CORS_ORIGINS as a table { ["https://app.example"] = true }; ["*"] stands for all.
local r = lighty.r
local answer = r.resp_header
if answer["X-Request-Id"] then return 0 end

local here = debug.getinfo(1, "S").source:match("^@?(.*)/[^/]*$")
local origins = dofile(here .. "/origins.lua")
local origin = r.req_header["Origin"]

answer["X-Content-Type-Options"] = "nosniff"
answer["Vary"] = "Origin"
if origin and (origins[origin] or origins["*"]) then
	answer["Access-Control-Allow-Origin"] = origin
	answer["Access-Control-Allow-Credentials"] = "true"
	answer["Access-Control-Expose-Headers"] = "Retry-After, Tus-Resumable"
end
local status = r.req_item["http_status"]
if status and (status == 403 or status == 404 or status >= 500 and status ~= 501 and status ~= 505) then
	answer["Retry-After"] = "2"
	answer["Tus-Resumable"] = "1.0.0"
	answer["Cache-Control"] = "no-store"
	return r.req_attr["request.method"] == "HEAD" and 423 or 503   -- a responder that died is a 500 of lighttpd
end
return 0
