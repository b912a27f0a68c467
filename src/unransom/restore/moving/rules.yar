// What must never be put back, whatever other rules are given.

rule eicar_test_file
{
    meta:
        description = "The file that every scanner must find: it shows that scanning works"
    strings:
        $start = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$"
        $end = "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
    condition:
        $start and $end and filesize < 1KB
}
