# front-apache-proxy.sh - Apache with mod_proxy_fcgi for scripts/run, which sources this. Uses: top run near socket host port fill() origins().
front_name=apache
front_packages=fronts
front_group=www-data        # Apache gives up root's rights
front_quit=WINCH

front_conf() {
	local list
	list=$(origins | sed 's/[.+?()^$|]/\\&/g; s/^\*$/.+/' | paste -sd '|')
	cp "$top"/apache-conf/*.asis "$near/"
	fill "$top/apache-conf/tus.conf.in" "$run/apache.conf" \
		USER_LINES "$([ "$(id -u)" != 0 ] || printf 'User %s\nGroup %s' www-data www-data)" \
		MODULES /usr/lib/apache2/modules ORIGINS "${list:-none}" TOP "$top" ANSWERS "$near" ROOT "$(setting BASE_PATH)/"
	front_command=(apache2 -DFOREGROUND -f "$run/apache.conf")
}
