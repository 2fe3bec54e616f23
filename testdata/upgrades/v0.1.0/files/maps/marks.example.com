$ORIGIN example.com.
@   300 IN A 10.66.0.1 ; cf_tags=cf-proxied:true
www 300 IN A 10.66.0.2 ; cf_tags=cf-proxied:true
mail 300 IN A 192.0.2.4 ; cf_tags=cf-proxied:false
