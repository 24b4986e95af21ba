# front-apache-fcgid.sh - Apache that starts tus-fcgi by mod_fcgid, for scripts/run, which sources this.
. "$top/scripts/apache.sh"

front_pool() { pool_command=(); }
front_conf() {
	place_program tus-fcgi
	apache_conf tus-site-fcgid.conf fcgid "FcgidIPCDir \"$near/fcgid\""$'\n'"FcgidProcessTableFile \"$near/fcgid-table\""$'\n'"ScriptAliasMatch \"^/(.*)$\" \"$program/\$1\""
	front_command=("${as_web_user[@]}" apache2 -DFOREGROUND -f "$run/apache.conf")
}
