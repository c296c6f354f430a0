# What scripts that speak HTTP share. 5.1 would speak old TLS only unless it is told.
[Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12

function New-Request([string]$address, [string]$verb) {
    $request = [Net.WebRequest]::Create($address)
    $request.Method = $verb
    $request.Timeout = $url_timeout * 1000
    $http = $request -is [Net.HttpWebRequest]
    if ($http) {
        $request.UserAgent = $http_agent
        $request.AllowAutoRedirect = $redirects -gt 0
        if ($redirects) { $request.MaximumAutomaticRedirections = $redirects }
        if (-not $validate_certs) { $request.ServerCertificateValidationCallback = [Net.Security.RemoteCertificateValidationCallback] { $true } }
        foreach ($each in $headers.GetEnumerator()) {
            switch ($each.Key) {
                'Accept' { $request.Accept = $each.Value }
                'Connection' { $request.KeepAlive = $each.Value -ne 'close' }
                'Content-Type' { $request.ContentType = $each.Value }
                'Host' { $request.Host = $each.Value }
                'Referer' { $request.Referer = $each.Value }
                'User-Agent' { $request.UserAgent = $each.Value }
                'If-Modified-Since' { $request.IfModifiedSince = [DateTime]::Parse($each.Value) }
                default { $request.Headers.Set($each.Key, $each.Value) }
            }
        }
    }
    if ($use_default_credential) { $request.UseDefaultCredentials = $true }
    elseif ($url_username) {
        if ($force_basic_auth) {
            $request.Headers.Set('Authorization', 'Basic ' + [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes("${url_username}:$url_password")))
        }
        else { $request.Credentials = [Net.NetworkCredential]::new($url_username, $url_password) }
    }
    if (-not $use_proxy) { $request.Proxy = $null }
    elseif ($proxy_url) {
        $request.Proxy = [Net.WebProxy]::new($proxy_url, $true)
        if ($proxy_username) { $request.Proxy.Credentials = [Net.NetworkCredential]::new($proxy_username, $proxy_password) }
    }
    $request
}

# The answer, also where its status is an error; what has no answer at all is one of the script.
function Get-Answer($request) {
    try { $request.GetResponse() }
    catch {
        $cause = $_.Exception.GetBaseException()
        $web = $_.Exception
        while ($web -and $web -isnot [Net.WebException]) { $web = $web.InnerException }
        if ($web -and $web.Response) { return $web.Response }
        throw "Error requesting '$($request.RequestUri)'. $($cause.Message)"
    }
}
