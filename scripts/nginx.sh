# nginx.sh - what the fronts with nginx have in common, for scripts/front-*.sh. Uses: top run socket host port setting() fill() origins().
front_name=nginx
front_packages=
front_group=                # runs with the rights of who starts it
front_quit=QUIT             # takes no new requests, lets answers pass

# nginx_conf LISTEN SERVER_LINES DOOR_LINES: what is special in the server and in the location
nginx_conf() {
	local x list
	x=$(setting X_ACCEL_PREFIX)
	mkdir -p "$run/nginx-temp"
	list=$(origins | while read -r o; do
		if [ "$o" = "*" ]; then echo $'\t\t~^:. $http_origin;'; else echo $'\t\t'"\":$o\" \$http_origin;"; fi
	done)
	fill "$top/nginx-conf/tus.conf.in" "$run/nginx.conf" \
		USER_LINE "$([ "$(id -u)" != 0 ] || echo "user $(id -un) $(id -gn);")" \
		NGINX_WORKERS "$(nproc)" NOFILE "$(ulimit -Hn | sed 's/unlimited/65536/')" ORIGINS "$list" \
		LISTEN "$1" SERVER_LINES "${2:+$'\t\t'$2}" DOOR_LINES "${3:+$'\t\t\t'$3}" \
		X_ACCEL_PREFIX "${x:-/tus-internal/}" UPLOAD_DIR "$(setting UPLOAD_DIR)"
	front_command=(nginx -p "$run" -e "$run/nginx-error.log" -c "$run/nginx.conf")
}
