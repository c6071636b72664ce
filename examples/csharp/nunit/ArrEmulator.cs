// An emulator for the tests of an assembly: started on a free port with HTTPS, and stopped at the end. NUnit 3 or later, .NET 6 or
// later. The program is $ARR_EMULATOR, or arr-emulator on the PATH.

using System;
using System.Diagnostics;
using System.IO;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using NUnit.Framework;

[SetUpFixture]
public sealed class ArrEmulator
{
    private static Process process;
    private static string folder;

    /// <summary>The endpoint of the service, and of the token service.</summary>
    public static Uri Url { get; private set; }

    public static Guid AccountId { get; private set; }

    public static string AccountKey { get; private set; }

    /// <summary>Trusts the emulator.</summary>
    public static HttpClient Http { get; private set; }

    [OneTimeSetUp]
    public void Start()
    {
        folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), "arr-" + Guid.NewGuid())).FullName;
        string readyFile = Path.Combine(folder, "ready.json");
        string program = Environment.GetEnvironmentVariable("ARR_EMULATOR") ?? "arr-emulator";
        var start = new ProcessStartInfo(program) { UseShellExecute = false };
        // The tests move the clock, so the startup time costs nothing.
        foreach (string argument in new[]
        {
            "--tls", "--ca-file", Path.Combine(folder, "ca.pem"), "--listen", "127.0.0.1:0", "--ready-file", readyFile,
            "--startup", "2m",
        })
        {
            start.ArgumentList.Add(argument);
        }
        process = Process.Start(start);
        for (var waited = Stopwatch.StartNew(); !File.Exists(readyFile); Thread.Sleep(10))
        {
            if (process.HasExited || waited.Elapsed > TimeSpan.FromSeconds(30))
            {
                throw new InvalidOperationException("the emulator did not start; see its error output");
            }
        }

        using JsonDocument ready = JsonDocument.Parse(File.ReadAllText(readyFile));
        Url = new Uri(ready.RootElement.GetProperty("url").GetString());
        AccountId = ready.RootElement.GetProperty("account_id").GetGuid();
        AccountKey = ready.RootElement.GetProperty("account_key").GetString();
        Http = ClientThatTrusts(ready.RootElement.GetProperty("ca_file").GetString());
    }

    [OneTimeTearDown]
    public void Stop()
    {
        Http?.Dispose();
        process?.Kill();
        process?.WaitForExit();
        Directory.Delete(folder, true);
    }

    /// <summary>
    /// An access token for the account. The official client takes it as an AccessToken. With a key, it would create a token client
    /// that does not get its Transport, and so does not trust the emulator.
    /// </summary>
    public static async Task<string> GetTokenAsync()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Url, $"/accounts/{AccountId}/token"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", $"{AccountId}:{AccountKey}");
        using HttpResponseMessage reply = await Http.SendAsync(request);
        reply.EnsureSuccessStatusCode();
        using JsonDocument body = JsonDocument.Parse(await reply.Content.ReadAsStringAsync());
        return body.RootElement.GetProperty("AccessToken").GetString();
    }

    /// <summary>A control call; the path is below /emulator, such as /faults.</summary>
    public static async Task<string> ControlAsync(HttpMethod method, string path, string json = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(Url, "/emulator" + path));
        request.Content = json == null ? null : new StringContent(json, Encoding.UTF8, "application/json");
        using HttpResponseMessage reply = await Http.SendAsync(request);
        reply.EnsureSuccessStatusCode();
        return await reply.Content.ReadAsStringAsync();
    }

    /// <summary>Moves the emulator's clock.</summary>
    public static Task AdvanceAsync(TimeSpan step)
    {
        return ControlAsync(HttpMethod.Post, "/clock", $"{{\"advance_ms\": {(long)step.TotalMilliseconds}}}");
    }

    private static HttpClient ClientThatTrusts(string caFile)
    {
        X509Certificate2 authority = X509Certificate2.CreateFromPem(File.ReadAllText(caFile));
        return new HttpClient(new HttpClientHandler
        {
            UseProxy = false,
            ServerCertificateCustomValidationCallback = (request, certificate, theirs, errors) =>
            {
                using var chain = new X509Chain();
                chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
                chain.ChainPolicy.CustomTrustStore.Add(authority);
                chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
                // The name has been compared already.
                return (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) == 0 && chain.Build(certificate);
            },
        });
    }
}
