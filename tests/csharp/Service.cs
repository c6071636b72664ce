using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Net.Sockets;
using System.Text;
using ArrSession;

/// <summary>The emulator that the environment names, and its control calls.</summary>
internal static class Service
{
    internal static readonly ApiVersion Version =
        Environment.GetEnvironmentVariable("ARR_API_VERSION") == "2021-01-01" ? ApiVersion.V2021_01_01 : ApiVersion.V1;

    internal static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);
    internal static readonly TimeSpan Lease = TimeSpan.FromMinutes(10);

    private static readonly string Url = Variable("ARR_SERVICE_ENDPOINT");

    internal static string Variable(string name)
    {
        string value = Environment.GetEnvironmentVariable(name);
        if (string.IsNullOrEmpty(value))
        {
            throw new InvalidOperationException(name + " is not set: these tests are run by cargo xtask test");
        }
        return value;
    }

    /// <summary>A file for this run only.</summary>
    internal static string Scratch(string name)
    {
        string path = Path.Combine(Variable("ARR_SCRATCH"), name);
        File.Delete(path);
        return path;
    }

    internal static ArrClientOptions Options()
    {
        return new ArrClientOptions
        {
            AccountId = Variable("ARR_ACCOUNT_ID"),
            AccountKey = Variable("ARR_ACCOUNT_KEY"),
            AccountDomain = Variable("ARR_ACCOUNT_DOMAIN"),
            ServiceEndpoint = Url,
            ApiVersion = Version,
            PollInterval = PollInterval,
            ReadyPollInterval = PollInterval,
            RetryDelay = TimeSpan.FromMilliseconds(10),
            CallTimeout = TimeSpan.FromSeconds(20),
        };
    }

    internal static ArrClient NewClient()
    {
        return new ArrClient(Options());
    }

    /// <summary>
    /// For tests with a stall: a request on the wire cannot be aborted, and ends after its time limit. Not for creates,
    /// whose session could be lost.
    /// </summary>
    internal static ArrClient NewImpatientClient()
    {
        ArrClientOptions options = Options();
        options.AttemptTimeout = TimeSpan.FromMilliseconds(500);
        return new ArrClient(options);
    }

    internal static CreateSessionOptions NewSession()
    {
        return new CreateSessionOptions { MaxLease = Lease };
    }

    // ---- control calls ---------------------------------------------------------------------------------------------

    /// <summary>Makes the next requests of this kind meet with a fault; 0 times means always.</summary>
    internal static void Fault(string method, string path, string action, int times = 1)
    {
        Call("POST", "/emulator/faults", "{\"rules\": [{\"method\": \"" + method + "\", \"path\": \"" + path + "\", \"times\": "
            + times.ToString(CultureInfo.InvariantCulture) + ", \"action\": " + action + "}]}");
    }

    internal static void FaultOfCreate(string action, int times = 1)
    {
        if (Version == ApiVersion.V1)
        {
            Fault("POST", "/v1/accounts/*/sessions/create", action, times);
        }
        else
        {
            Fault("PUT", "/accounts/*/sessions/*", action, times);
        }
    }

    internal static void FaultOfToken(string action, int times = 1)
    {
        Fault("GET", "/accounts/*/token", action, times);
    }

    internal static void FaultOfList(string action, int times = 1)
    {
        Fault("GET", "**/sessions", action, times);
    }

    internal static void FaultOfRead(string action, int times = 1)
    {
        Fault("GET", Version == ApiVersion.V1 ? "**/properties" : "/accounts/*/sessions/*", action, times);
    }

    internal static void FaultOfStop(string action, int times = 1)
    {
        if (Version == ApiVersion.V1)
        {
            Fault("DELETE", "**", action, times);
        }
        else
        {
            Fault("POST", "**/:stop", action, times);
        }
    }

    /// <summary>Waits until the service has received a stop request.</summary>
    internal static void AwaitStopRequest()
    {
        string sign = Version == ApiVersion.V1 ? "\"DELETE\"" : "/:stop";
        FrameLoop.Until(() => Requests().Contains(sign), "a request to stop");
    }

    internal static string Status(int status, string body = "", string headers = "")
    {
        return "{\"type\": \"status\", \"status\": " + status.ToString(CultureInfo.InvariantCulture)
            + ", \"headers\": {" + headers + "}, \"body\": \"" + body.Replace("\\", "\\\\").Replace("\"", "\\\"") + "\"}";
    }

    internal static string Stall
    {
        get { return "{\"type\": \"stall\"}"; }
    }

    /// <summary>Executes the request at once and delays the reply.</summary>
    internal static string AnswerAfter(int milliseconds)
    {
        return "{\"type\": \"delay\", \"execute\": true, \"ms\": " + milliseconds.ToString(CultureInfo.InvariantCulture) + "}";
    }

    internal static void NoFaults()
    {
        Call("DELETE", "/emulator/faults", "");
    }

    internal static void MoveClock(TimeSpan by)
    {
        Call("POST", "/emulator/clock",
            "{\"advance_ms\": " + ((long)by.TotalMilliseconds).ToString(CultureInfo.InvariantCulture) + "}");
    }

    internal static void Force(string sessionId, string status, string message = "")
    {
        Call("POST", "/emulator/sessions/" + sessionId,
            "{\"status\": \"" + status + "\", \"message\": \"" + message + "\"}");
    }

    /// <summary>A session's status at the emulator; null if it does not know the session.</summary>
    internal static string StatusOf(string sessionId)
    {
        string sessions = Call("GET", "/emulator/sessions", "");
        int place = sessions.IndexOf("\"id\":\"" + sessionId + "\"", StringComparison.Ordinal);
        return place < 0 ? null : Member(sessions, "status", place);
    }

    /// <summary>The ids of sessions that have not ended.</summary>
    internal static List<string> Running()
    {
        List<string> running = new List<string>();
        string sessions = Call("GET", "/emulator/sessions", "");
        for (int place = sessions.IndexOf("\"id\":\"", StringComparison.Ordinal); place >= 0;
            place = sessions.IndexOf("\"id\":\"", place + 1, StringComparison.Ordinal))
        {
            string status = Member(sessions, "status", place);
            if (status == "Starting" || status == "Ready")
            {
                running.Add(Member(sessions, "id", place));
            }
        }
        return running;
    }

    internal static void ForgetRequests()
    {
        Call("DELETE", "/emulator/requests", "");
    }

    /// <summary>The requests that the emulator received.</summary>
    internal static string Requests()
    {
        return Call("GET", "/emulator/requests", "");
    }

    /// <summary>Every test starts with a service without sessions and faults.</summary>
    internal static void CleanUp()
    {
        NoFaults();
        foreach (string id in Running())
        {
            Force(id, "Stopped");
        }
        ForgetRequests();
    }

    private static string Member(string json, string name, int from)
    {
        string before = "\"" + name + "\":\"";
        int begin = json.IndexOf(before, from, StringComparison.Ordinal) + before.Length;
        return json.Substring(begin, json.IndexOf('"', begin) - begin);
    }

    /// <summary>
    /// Uses a plain socket, because the framework's HTTP classes do not work with full AOT.
    /// </summary>
    private static string Call(string method, string path, string body)
    {
        Uri url = new Uri(Url);
        byte[] content = Encoding.UTF8.GetBytes(body);
        string head = method + " " + path + " HTTP/1.1\r\nHost: " + url.Host + ":" + url.Port
            + "\r\nContent-Type: application/json\r\nContent-Length: " + content.Length + "\r\nConnection: close\r\n\r\n";
        byte[] request = Encoding.ASCII.GetBytes(head);
        MemoryStream reply = new MemoryStream();
        using (TcpClient connection = new TcpClient())
        {
            connection.NoDelay = true;
            connection.Connect(url.Host, url.Port);
            NetworkStream stream = connection.GetStream();
            stream.Write(request, 0, request.Length);
            stream.Write(content, 0, content.Length);
            byte[] buffer = new byte[65536];
            for (int count = stream.Read(buffer, 0, buffer.Length); count > 0; count = stream.Read(buffer, 0, buffer.Length))
            {
                reply.Write(buffer, 0, count);
            }
        }
        string text = Encoding.UTF8.GetString(reply.ToArray());
        if (!text.StartsWith("HTTP/1.1 2", StringComparison.Ordinal))
        {
            throw new CheckFailed("the emulator refuses " + method + " " + path + " " + body + ":\n" + text);
        }
        return text.Substring(text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4);
    }
}
