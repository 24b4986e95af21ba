# front-nginx.sh - nginx for scripts/run, which sources this. Uses: top run socket host port setting() fill() origins().
front_name=nginx
front_packages=
front_group=                # runs with the rights of who starts it
front_quit=QUIT             # takes no new requests, lets answers pass

front_conf() {
	local x list
	x=$(setting X_ACCEL_PREFIX)
	mkdir -p "$run/nginx-temp"
	list=$(origins | while read -r o; do
		if [ "$o" = "*" ]; then echo $'\t\t~^:. $http_origin;'; else echo $'\t\t'"\":$o\" \$http_origin;"; fi
	done)
	fill "$top/nginx-conf/tus.conf.in" "$run/nginx.conf" \
		USER_LINE "$([ "$(id -u)" != 0 ] || echo "user $(id -un) $(id -gn);")" \
		NGINX_WORKERS "$(nproc)" NOFILE "$(ulimit -Hn | sed 's/unlimited/65536/')" ORIGINS "$list" \
		X_ACCEL_PREFIX "${x:-/tus-internal/}" UPLOAD_DIR "$(setting UPLOAD_DIR)"
	front_command=(nginx -p "$run" -e "$run/nginx-error.log" -c "$run/nginx.conf")
}
