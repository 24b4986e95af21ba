# front-nginx-tls.sh - nginx with TLS and HTTP/2, by a certificate that it signs itself, for scripts/run, which sources this.
. "$top/scripts/nginx.sh"
front_packages=fronts
front_scheme=https

front_conf() {
	"$top/scripts/self-signed-cert" "$run/tls" localhost "$probe"
	nginx_conf " ssl http2" "ssl_certificate \"$run/tls/cert.pem\"; ssl_certificate_key \"$run/tls/key.pem\"; include \"$top/nginx-conf/tus-tls.conf\";" ""
}
