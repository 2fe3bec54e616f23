$ORIGIN example.com.
$TTL 300
@       IN SOA   ns1.example.org. hostmaster 1 7200 3600 1209600 300
        IN NS    ns1.example.org.
www     IN A     127.0.2.2 ; an alias at www.example.net, of another account, would not be followed
