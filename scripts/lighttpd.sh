# lighttpd.sh - what the fronts with lighttpd have in common, for scripts/front-lighttpd*.sh. Uses: top run near socket host port fill() origins().
front_name=lighttpd
front_packages=fronts
front_group=www-data        # runs without root's rights
front_quit=INT

# lighttpd_conf TEMPLATE [NAME VALUE]...
lighttpd_conf() {
	local template=$1
	shift
	mkdir -p "$near/spool"
	[ -z "$front_owner" ] || chown "$front_group" "$near/spool"
	{ echo 'return {'; origins | sed 's/.*/	["&"] = true,/'; echo '}'; } > "$near/origins.lua"
	cp "$top/scripts/lighttpd-answers.lua" "$near/answers.lua"
	fill "$top/scripts/$template" "$near/lighttpd.conf" NEAR "$near" NOFILE "$(ulimit -Hn | sed 's/unlimited/65536/')" "$@"
	front_command=(lighttpd -D -f "$near/lighttpd.conf")
	[ -n "$front_owner" ] || return 0
	# If it gave up the rights itself, the kernel would forget that it is to end with its parent; so it has none, and its pid file is where it may write.
	front_command=("${as_web_user[@]}" "${front_command[@]}")
	: > "$near/lighttpd.pid"
	chown www-data "$near/lighttpd.pid"
	ln -sf "$near/lighttpd.pid" "$run/lighttpd.pid"
}
