# front-nginx.sh - nginx for scripts/run, which sources this.
. "$top/scripts/nginx.sh"

front_conf() { nginx_conf "" "" ""; }
