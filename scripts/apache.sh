# apache.sh - what the fronts with Apache have in common, for scripts/front-apache-*.sh. Uses: top run near socket host port fill() origins().
front_name=apache
front_packages=fronts
front_group=www-data        # Apache gives up root's rights
front_quit=WINCH

# apache_conf SITE "MODULE..." REST: writes the configuration around a file of apache-conf/
apache_conf() {
	local list modules="" m
	for m in $2; do modules+="LoadModule ${m}_module /usr/lib/apache2/modules/mod_$m.so"$'\n'; done
	list=$(origins | sed 's/[.+?()^$|]/\\&/g; s/^\*$/.+/' | paste -sd '|')
	cp "$top"/apache-conf/{*.asis,tus-answers.conf} "$near/"
	fill "$top/apache-conf/tus.conf.in" "$run/apache.conf" \
		USER_LINES "$([ "$(id -u)" != 0 ] || printf 'User %s\nGroup %s' www-data www-data)" \
		MODULES /usr/lib/apache2/modules DOOR_MODULES "$modules" ORIGINS "${list:-none}" TOP "$top" ANSWERS "$near" ROOT "$(setting BASE_PATH)/" \
		PROGRAM "${program-}" SETTINGS "${settings_json-}" SITE "$1" REST "$3"
}
