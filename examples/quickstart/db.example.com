$ORIGIN example.com.
$TTL 3600
@         IN SOA   ns1.example.org. hostmaster 1 7200 3600 1209600 300
          IN NS    ns1.example.org.
          IN A     198.51.100.30               ; not proxied
www       IN A     198.51.100.31               ; proxied, answered with anycast addresses
          IN AAAA  2001:db8:ffff::31
