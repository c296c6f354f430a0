# Brings the binding of the site $name to $ip, $port and $hostname into $state.
$answer.changed = $false
Need-Site $name
$address = "${ip}:${port}:$hostname"

function Find-Binding { @(Get-WebBinding -Name $name -Protocol $protocol) | Where-Object { $_ -and $_.bindingInformation -eq $address } | Select-Object -First 1 }

function Describe($binding) {
    @{ protocol = $binding.protocol; bindingInformation = $binding.bindingInformation; sslFlags = "$($binding.sslFlags)"; certificateHash = "$($binding.certificateHash)"; certificateStoreName = "$($binding.certificateStoreName)"; ip = $ip; port = $port; hostheader = $hostname }
}

function Need-Certificate {
    $store = [Security.Cryptography.X509Certificates.X509Store]::new($certificate_store_name, 'LocalMachine')
    $store.Open('ReadOnly')
    try { if (-not $store.Certificates.Find('FindByThumbprint', $certificate_hash, $false).Count) { throw "Unable to locate certificate with the hash $certificate_hash in the store $certificate_store_name" } }
    finally { $store.Close() }
}

function Set-Certificate($binding) {
    if (-not $certificate_hash -or ("$($binding.certificateHash)" -eq $certificate_hash -and "$($binding.certificateStoreName)" -eq $certificate_store_name)) { return }
    Differs 'certificateHash' "$($binding.certificateHash)" $certificate_hash
    Change {
        if ("$($binding.certificateHash)") { $binding.RemoveSslCertificate() }
        $binding.AddSslCertificate($certificate_hash, $certificate_store_name)
    }
}

$answer.website_state = "$((Get-WebsiteState -Name $name).Value)"
$binding = Find-Binding
$answer.operation_type = 'matched'
if ($state -eq 'absent') {
    if (-not $binding) { return }
    $answer.operation_type, $answer.binding_info = 'removed', (Describe $binding)
    Say-Exists $true $false
    Change { $binding | Remove-WebBinding }
    return
}
if ($certificate_hash) { Need-Certificate }
if (-not $binding) {
    $given = @{ Name = $name; Protocol = $protocol; Port = $port; IPAddress = $ip }
    if ($hostname) { $given.HostHeader = $hostname }
    if ($ssl_flags) { $given.SslFlags = $ssl_flags }
    $answer.operation_type = 'added'
    Say-Exists $false $true
    Change {
        New-WebBinding @given
        $binding = Find-Binding
        if (-not $binding) { throw "The binding $address was made, and isn't there" }
        if ($certificate_hash) { $binding.AddSslCertificate($certificate_hash, $certificate_store_name) }
    }
}
else {
    Set-Certificate $binding
    if ($null -ne $ssl_flags -and "$($binding.sslFlags)" -ne $ssl_flags) {
        Differs 'sslFlags' "$($binding.sslFlags)" $ssl_flags
        Change { Set-WebConfigurationProperty -PSPath $host_config -Filter "$(Site-Filter $name)/bindings/binding[@protocol=$(In-Filter $protocol) and @bindingInformation=$(In-Filter $address)]" -Name 'sslFlags' -Value $ssl_flags }
    }
    if ($answer.changed) { $answer.operation_type = 'updated' }
}
$binding = Find-Binding
if ($binding) { $answer.binding_info = Describe $binding }
$answer.website_state = "$((Get-WebsiteState -Name $name).Value)"
