# front-lighttpd-cgi.sh - lighttpd that starts upload.cgi for each request, for scripts/run, which sources this.
. "$top/scripts/lighttpd.sh"

front_pool() { pool_command=(); }
front_conf() {
	place_program upload.cgi
	lighttpd_conf lighttpd-cgi.conf.in PROGRAM "$program" SETTINGS "$settings_json"
}
