$ORIGIN example.com.
$TTL 300
@       IN SOA   ns1.example.org. hostmaster 1 7200 3600 1209600 300
        IN NS    ns1.example.org.
www     IN CNAME www.example.net. ; its origin is that of another zone's name
