# front-fcgiwrap.sh - nginx and fcgiwrap, which starts upload.cgi for each request, for scripts/run, which sources this.
. "$top/scripts/nginx.sh"
front_packages=fronts

front_pool() {
	rm -f "$socket"   # of an earlier one that was killed
	# its processes do not end with the first of them
	pool_command=(env -i PATH="$PATH" bash -c 'trap "trap - TERM; kill 0" TERM; "$@" & wait $!' fcgiwrap fcgiwrap -c 64 -s "unix:$socket")
}
front_conf() {
	place_program upload.cgi
	nginx_conf "" "" "set \$tus_program \"$program\"; set \$tus_settings \"$settings_json\"; include \"$top/nginx-conf/tus-fcgiwrap.conf\";"
}
