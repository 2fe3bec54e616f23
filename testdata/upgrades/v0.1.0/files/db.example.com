$ORIGIN example.com.
$TTL 3600
@ IN SOA ns1 hostmaster 100 7200 3600 1209600 300
  IN NS ns1
ns1 IN A 192.0.2.3
mail IN A 192.0.2.4
@ IN A 10.66.0.1
www IN A 10.66.0.2
www IN AAAA 2001:db8:66::2
