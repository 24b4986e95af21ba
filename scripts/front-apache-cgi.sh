# front-apache-cgi.sh - Apache that starts upload.cgi for each request (mod_cgid), for scripts/run, which sources this.
. "$top/scripts/apache.sh"

front_pool() { pool_command=(); }
front_conf() {
	place_program upload.cgi
	apache_conf tus-site-cgi.conf "env cgid" "ScriptSock \"$near/cgid\""$'\n'"ScriptAliasMatch \"^/(.*)$\" \"$program/\$1\""
	front_command=("${as_web_user[@]}" apache2 -DFOREGROUND -f "$run/apache.conf")
}
