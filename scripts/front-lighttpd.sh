# front-lighttpd.sh - lighttpd for scripts/run, which sources this.
. "$top/scripts/lighttpd.sh"

front_conf() { lighttpd_conf lighttpd.conf.in; }
