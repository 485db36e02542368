#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# field: PHP opens all its extensions with RTLD_DEEPBIND, and they free what others allocated
# needs: php8.2-cli
# run: php_extensions
# maps: 60
USE_ZEND_ALLOC=0 exec php -r '
for ($i = 0; $i < 300; $i++) {
	$a = json_encode(["x" => str_repeat("y", $i)]);
	$b = json_decode($a, true);
	$c = hash("sha256", $a);
	$d = preg_replace("/y+/", "z", $a);
}
echo md5($a . $c . $d), "\n";'
