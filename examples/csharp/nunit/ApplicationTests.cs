// A test as an application has it, in place of a bill for rendering servers. With the official client:
//
//     var options = new RemoteRenderingClientOptions { Transport = new HttpClientTransport(ArrEmulator.Http) };
//     var token = new AccessToken(await ArrEmulator.GetTokenAsync(), DateTimeOffset.UtcNow.AddHours(23));
//     var client = new RemoteRenderingClient(ArrEmulator.Url, ArrEmulator.AccountId, "emulator.invalid", token, options);

using System;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Threading.Tasks;
using NUnit.Framework;

public sealed class ApplicationTests
{
    [Test]
    public async Task ASessionBecomesReadyAndExpires()
    {
        string id = "session-" + Guid.NewGuid();
        Assert.That(
            await StatusAsync(HttpMethod.Put, id, "{\"maxLeaseTimeMinutes\": 30, \"size\": \"Standard\"}"),
            Is.EqualTo("Starting"));
        await ArrEmulator.AdvanceAsync(TimeSpan.FromMinutes(2));
        Assert.That(await StatusAsync(HttpMethod.Get, id), Is.EqualTo("Ready"));
        await ArrEmulator.AdvanceAsync(TimeSpan.FromMinutes(30));
        Assert.That(await StatusAsync(HttpMethod.Get, id), Is.EqualTo("Expired"));
    }

    private static async Task<string> StatusAsync(HttpMethod method, string id, string json = null)
    {
        var path = $"/accounts/{ArrEmulator.AccountId}/sessions/{id}?api-version=2021-01-01";
        using var request = new HttpRequestMessage(method, new Uri(ArrEmulator.Url, path));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await ArrEmulator.GetTokenAsync());
        request.Content = json == null ? null : new StringContent(json, Encoding.UTF8, "application/json");
        using HttpResponseMessage reply = await ArrEmulator.Http.SendAsync(request);
        reply.EnsureSuccessStatusCode();
        using JsonDocument body = JsonDocument.Parse(await reply.Content.ReadAsStringAsync());
        return body.RootElement.GetProperty("status").GetString();
    }
}
