# front-apache-proxy.sh - Apache with mod_proxy_fcgi for scripts/run, which sources this.
. "$top/scripts/apache.sh"

front_conf() {
	apache_conf tus-site.conf "proxy proxy_fcgi" "ProxyPass \"/\" \"unix:$socket|fcgi://localhost/\" retry=0"
	front_command=(apache2 -DFOREGROUND -f "$run/apache.conf")
}
