# front-lighttpd.sh - lighttpd for scripts/run, which sources this. Uses: top run near socket host port fill() origins().
front_name=lighttpd
front_packages=fronts
front_group=www-data        # lighttpd gives up root's rights
front_quit=INT

front_conf() {
	mkdir -p "$near/spool"
	[ -z "$front_owner" ] || chown "$front_group" "$near/spool"
	{ echo 'return {'; origins | sed 's/.*/	["&"] = true,/'; echo '}'; } > "$near/origins.lua"
	cp "$top/scripts/lighttpd-answers.lua" "$near/answers.lua"
	fill "$top/scripts/lighttpd.conf.in" "$run/lighttpd.conf" \
		USER_LINES "$([ "$(id -u)" != 0 ] || printf 'server.username = "%s"\nserver.groupname = "%s"' www-data www-data)" \
		NEAR "$near" NOFILE "$(ulimit -Hn | sed 's/unlimited/65536/')"
	front_command=(lighttpd -D -f "$run/lighttpd.conf")
}
