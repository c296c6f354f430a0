# What the host is: those subsets of Ansible's facts that $wanted names, without their prefix. $seconds_each may pass for each
# query and each local fact; these are in the directory $fact_path, where it is named.
$facts = @{}
$warnings = New-Object -TypeName 'Collections.Generic.List[string]'
$known = @{}
$system = [Environment]::OSVersion
$version = 'SOFTWARE\Microsoft\Windows NT\CurrentVersion'

function Registry([string]$key, [string]$name) {
    [Microsoft.Win32.Registry]::GetValue("HKEY_LOCAL_MACHINE\$key", $name, $null)
}

# The first of a class; asked for once, and $null on hosts that have none.
function Cim([string]$class) {
    if (-not $known.ContainsKey($class)) {
        $known[$class] = try { @(Get-CimInstance -ClassName $class -OperationTimeoutSec $seconds_each)[0] } catch { $null }
    }
    $known[$class]
}

function Gather([string]$name, [scriptblock]$code) {
    if ($wanted -notcontains $name) { return }
    try { & $code } catch { $warnings.Add("${name}: $($_.Exception.GetBaseException().Message)") }
}

# What is one is itself; several are a list.
function OneOrMore([object[]]$items) {
    if ($items.Count -eq 1) { $items[0] } elseif ($items.Count -gt 1) { , $items } else { $null }
}

function Megabytes($kilobytes) { if ($null -ne $kilobytes) { [long][Math]::Ceiling($kilobytes / 1024) } }

function Cards { [Net.NetworkInformation.NetworkInterface]::GetAllNetworkInterfaces() }

Gather 'all_ip_addresses' {
    $facts.ip_addresses = @(foreach ($card in Cards) {
        foreach ($address in $card.GetIPProperties().UnicastAddresses) {
            $text = $address.Address.ToString()
            if ($text -ne '::1' -and $text -ne '127.0.0.1') { $text }
        }
    })
}
Gather 'bios' {
    $key = 'HARDWARE\DESCRIPTION\System\BIOS'
    $facts.bios_version = Registry $key 'BIOSVersion'
    $facts.bios_date = Registry $key 'BIOSReleaseDate'
    $facts.product_name = Registry $key 'SystemProductName'
    $facts.product_serial = (Cim 'Win32_BIOS').SerialNumber
    $facts.product_uuid = (Cim 'Win32_ComputerSystemProduct').UUID
}
Gather 'date_time' {
    $now = [DateTime]::Now
    $utc = $now.ToUniversalTime()
    $invariant = [Globalization.CultureInfo]::InvariantCulture
    $began = [DateTime]'1970-01-01'
    $times = @{
        epoch = "$([long][Math]::Floor(($utc - $began).TotalSeconds))"
        epoch_local = "$([long][Math]::Floor(($now - $began).TotalSeconds))"
        epoch_int = [long][Math]::Floor(($utc - $began).TotalSeconds)
        iso8601 = $utc.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", $invariant)
        iso8601_micro = $utc.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", $invariant)
        tz = [TimeZoneInfo]::Local.Id
        weekday_number = "$([int]$now.DayOfWeek)"
        weeknumber = "$([int][Math]::Floor($now.DayOfYear / 7))"
    }
    $forms = @{
        date = 'yyyy-MM-dd'; time = 'HH:mm:ss'; year = 'yyyy'; month = 'MM'; day = 'dd'; hour = 'HH'; minute = 'mm'; second = 'ss'
        iso8601_basic = "yyyyMMdd'T'HHmmssffffff"; iso8601_basic_short = "yyyyMMdd'T'HHmmss"; tz_offset = 'zzz'; weekday = 'dddd'
    }
    foreach ($form in $forms.GetEnumerator()) { $times[$form.Key] = $now.ToString($form.Value, $invariant) }
    $facts.date_time = $times
}
Gather 'distribution' {
    $product = "$(Registry $version 'ProductName')"
    $caption = (Cim 'Win32_OperatingSystem').Caption
    if (-not $caption) { $caption = "Microsoft $product" }
    $kind = (Cim 'Win32_OperatingSystem').ProductType
    if (-not $kind) { $kind = @{ WinNT = 1; LanmanNT = 2; ServerNT = 3 }[[string](Registry 'SYSTEM\CurrentControlSet\Control\ProductOptions' 'ProductType')] }
    $facts.distribution = $caption.Trim()
    $facts.os_name = $caption.Trim()
    $facts.distribution_version = $system.Version.ToString()
    $facts.distribution_major_version = $system.Version.Major.ToString()
    $facts.os_family = 'Windows'
    $facts.os_product_type = switch ($kind) { 1 { 'workstation' } 2 { 'domain_controller' } 3 { 'server' } default { 'unknown' } }
    $facts.os_installation_type = Registry $version 'InstallationType'
    $installed = Registry $version 'InstallTime'
    $facts.os_install_date = if ($installed) { [DateTime]::FromFileTimeUtc($installed).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'") } else { $null }
}
Gather 'env' {
    $variables = @{}
    foreach ($variable in [Environment]::GetEnvironmentVariables().GetEnumerator()) {
        $variables[[string]$variable.Key] = ([string]$variable.Value).TrimEnd('\')
    }
    $facts.env = $variables
}
Gather 'interfaces' {
    $facts.interfaces = @(foreach ($card in Cards) {
        $properties = $card.GetIPProperties()
        $ipv4 = try { $properties.GetIPv4Properties() } catch { $null }
        $ipv6 = try { $properties.GetIPv6Properties() } catch { $null }
        if (-not ($ipv4 -or $ipv6) -or 'Loopback', 'Tunnel' -contains [string]$card.NetworkInterfaceType) { continue }
        $addresses = @{}
        foreach ($family in 'InterNetwork', 'InterNetworkV6') {
            $addresses[$family] = @(foreach ($address in $properties.UnicastAddresses) {
                if ([string]$address.Address.AddressFamily -eq $family) {
                    @{ address = $address.Address.ToString(); prefix = "$($address.PrefixLength)" }
                }
            })
        }
        $gateway = @(foreach ($found in $properties.GatewayAddresses) { $found.Address.ToString() })
        @{
            connection_name = $card.Name
            default_gateway = if ($gateway.Count) { $gateway[0] } else { $null }
            dns_domain = if ($properties.DnsSuffix) { $properties.DnsSuffix } else { $null }
            interface_index = if ($ipv4) { $ipv4.Index } else { $ipv6.Index }
            interface_name = $card.Description
            ipv4 = OneOrMore $addresses.InterNetwork
            ipv6 = OneOrMore $addresses.InterNetworkV6
            macaddress = ($card.GetPhysicalAddress().ToString() -replace '(..)(?=.)', '$1:')
            mtu = if ($ipv4) { $ipv4.Mtu } else { $null }
            speed = $card.Speed / 1000000
        }
    })
}
Gather 'local' {
    if (-not $fact_path) { return }
    $directory = Full $fact_path
    if (-not [IO.Directory]::Exists($directory)) { throw "there is no directory $directory" }
    foreach ($file in [IO.Directory]::GetFiles($directory)) {
        $name = [IO.Path]::GetFileNameWithoutExtension($file)
        $kind = [IO.Path]::GetExtension($file)
        if ($kind -ceq '.json') {
            try { $facts[$name] = ConvertFrom-Json -InputObject ([IO.File]::ReadAllText($file)) }
            catch { $warnings.Add("local: $file holds no JSON") }
        }
        elseif ($kind -ceq '.ps1') {
            $shell = [PowerShell]::Create()
            $null = $shell.AddScript('& $args[0]').AddArgument($file)
            $running = $shell.BeginInvoke()
            if ($running.AsyncWaitHandle.WaitOne($seconds_each * 1000)) {
                try { $said = @($shell.EndInvoke($running)); if ($said.Count) { $facts[$name] = OneOrMore $said } }
                catch { $warnings.Add("local: ${file}: $($_.Exception.GetBaseException().Message)") }
                $shell.Dispose()
            }
            else {
                $null = $shell.BeginStop($null, $null)
                $warnings.Add("local: $file gave no answer within $seconds_each s")
            }
        }
    }
}
Gather 'memory' {
    $os = Cim 'Win32_OperatingSystem'
    $facts.memtotal_mb = Megabytes $os.TotalVisibleMemorySize
    $facts.memfree_mb = Megabytes $os.FreePhysicalMemory
    $facts.swaptotal_mb = 0
    $facts.pagefiletotal_mb = Megabytes $os.SizeStoredInPagingFiles
    $facts.pagefilefree_mb = Megabytes $os.FreeSpaceInPagingFiles
}
Gather 'platform' {
    $network = [Net.NetworkInformation.IPGlobalProperties]::GetIPGlobalProperties()
    $computer = Cim 'Win32_ComputerSystem'
    $suffix = if ($computer.PartOfDomain) { $computer.Domain } else { $network.DomainName }
    $fqdn = $network.HostName
    if ($network.DomainName) { $fqdn = "$fqdn.$($network.DomainName)" }
    $facts.hostname = $network.HostName
    $facts.fqdn = $fqdn
    $facts.nodename = $fqdn
    $facts.domain = [string]$suffix
    $facts.netbios_name = [Environment]::MachineName
    $facts.kernel = $system.Version.ToString()
    $facts.system = [string]$system.Platform
    $facts.system_description = [string](Registry 'SYSTEM\CurrentControlSet\Services\LanmanServer\Parameters' 'srvcomment')
    $facts.system_vendor = Registry 'HARDWARE\DESCRIPTION\System\BIOS' 'SystemManufacturer'
    $facts.owner_name = [string](Registry $version 'RegisteredOwner')
    $facts.owner_contact = [string]$computer.PrimaryOwnerContact
    $facts.architecture = if ([Environment]::Is64BitOperatingSystem) { '64-bit' } else { '32-bit' }
    $processor = [string](Registry 'SYSTEM\CurrentControlSet\Control\Session Manager\Environment' 'PROCESSOR_ARCHITECTURE')
    $facts.architecture2 = switch ($processor) { 'AMD64' { 'x86_64' } 'x86' { 'i386' } 'ARM64' { 'arm64' } 'ARM' { 'arm' } 'IA64' { 'ia64' } default { 'unknown' } }
    $administrator = try { @(Get-CimInstance -ClassName Win32_UserAccount -Filter "LocalAccount=TRUE AND SID LIKE 'S-1-5-21-%-500'" -OperationTimeoutSec $seconds_each)[0].SID } catch { $null }
    $facts.machine_id = if ($administrator) { $administrator -replace '-500$', '' } else { $null }
    $manager = 'SYSTEM\CurrentControlSet\Control\Session Manager'
    $servicing = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey('SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending')
    $restart = Registry 'SOFTWARE\Microsoft\ServerManager\ServicingStorage\ServerComponentCache' 'RestartRequired'
    $facts.reboot_pending = [bool]((Registry $manager 'PendingFileRenameOperations') -or $servicing -or $restart)
}
Gather 'powershell_version' { $facts.powershell_version = $PSVersionTable.PSVersion.Major }
Gather 'processor' {
    $key = 'HARDWARE\DESCRIPTION\System\CentralProcessor'
    $processors = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey($key)
    $numbers = @(if ($processors) { [int[]]$processors.GetSubKeyNames() | Sort-Object })
    $facts.processor = @(foreach ($number in $numbers) {
        "$number"
        Registry "$key\$number" 'VendorIdentifier'
        Registry "$key\$number" 'ProcessorNameString'
    })
    $first = Cim 'Win32_Processor'
    $sockets = (Cim 'Win32_ComputerSystem').NumberOfProcessors
    $facts.processor_count = if ($sockets) { $sockets } else { 1 }
    $facts.processor_vcpus = [Environment]::ProcessorCount
    $facts.processor_cores = $first.NumberOfCores
    $facts.processor_threads_per_core = if ($first.NumberOfCores) { $first.NumberOfLogicalProcessors / $first.NumberOfCores } else { $null }
}
Gather 'uptime' {
    $up = [Diagnostics.Stopwatch]::GetTimestamp() / [Diagnostics.Stopwatch]::Frequency
    $facts.lastboot = [DateTime]::Now.AddSeconds(-$up).ToString('u')
    $facts.uptime_seconds = [long][Math]::Round($up)
}
Gather 'user' {
    $facts.user_id = [Environment]::UserName
    $facts.user_dir = [Environment]::GetEnvironmentVariable('USERPROFILE')
    $facts.user_gecos = ''
    $facts.user_sid = $null
    $facts.user_sid = [Security.Principal.WindowsIdentity]::GetCurrent().User.Value
}
Gather 'windows_domain' {
    $computer = Cim 'Win32_ComputerSystem'
    $roles = 'Stand-alone workstation', 'Member workstation', 'Stand-alone server', 'Member server', 'Backup domain controller', 'Primary domain controller'
    $facts.windows_domain = [string]$computer.Domain
    $facts.windows_domain_member = [bool]$computer.PartOfDomain
    $facts.windows_domain_role = if ($null -ne $computer.DomainRole) { $roles[$computer.DomainRole] } else { 'Unknown DomainRole' }
}
Gather 'winrm' {
    $listeners = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey('SOFTWARE\Microsoft\Windows\CurrentVersion\WSMAN\Listener')
    if (-not $listeners) { return }
    $store = New-Object -TypeName Security.Cryptography.X509Certificates.X509Store -ArgumentList 'My', 'LocalMachine'
    $store.Open('ReadOnly')
    $certificates = foreach ($name in $listeners.GetSubKeyNames()) {
        $thumbprint = [string]$listeners.OpenSubKey($name).GetValue('certThumbprint')
        if ($thumbprint) { foreach ($one in $store.Certificates) { if ($one.Thumbprint -eq $thumbprint.Replace(' ', '')) { $one } } }
    }
    $soonest = @($certificates | Sort-Object -Property NotAfter)[0]
    if ($soonest) {
        $facts.win_rm_certificate_expires = $soonest.NotAfter.ToString('yyyy-MM-dd HH:mm:ss')
        $facts.win_rm_certificate_thumbprint = $soonest.Thumbprint
    }
}
Gather 'virtual' {
    $key = 'HARDWARE\DESCRIPTION\System\BIOS'
    $model, $maker = [string](Registry $key 'SystemProductName'), [string](Registry $key 'SystemManufacturer')
    $kind = switch -Wildcard ($model) {
        'KVM' { 'kvm' } 'KVM Server' { 'kvm' } 'Bochs' { 'kvm' } 'AHV' { 'kvm' } 'CloudStack KVM Hypervisor' { 'kvm' }
        'RHEV Hypervisor' { 'RHEV' } 'VMware*' { 'VMware' } 'OpenStack Compute' { 'openstack' } 'OpenStack Nova' { 'openstack' }
        'xen' { 'xen' } 'HVM domU' { 'xen' } 'Virtual Machine' { 'Hyper-V' } 'VirtualBox' { 'VirtualBox' }
    }
    if (-not $kind) {
        $kind = switch ($maker) {
            { 'QEMU', 'oVirt', 'Amazon EC2', 'DigitalOcean', 'Google', 'Scaleway', 'Nutanix' -contains $_ } { 'kvm' }
            'KubeVirt' { 'KubeVirt' }
            'Parallels Software International Inc.' { 'parallels' }
            'OpenStack Foundation' { 'openstack' }
        }
    }
    $facts.virtualization_type = if ($kind) { [string]@($kind)[0] } else { 'NA' }
    $facts.virtualization_role = if ($kind) { 'guest' } else { 'NA' }
}
$answer.facts = ConvertTo-Json -InputObject $facts -Depth 8 -Compress
$answer.warnings = $warnings.ToArray()
