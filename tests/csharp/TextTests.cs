using System;
using System.IO;
using System.Text;
using ArrSession;

/// <summary>Texts beyond ASCII, in both directions, and secrets.</summary>
internal static class TextTests
{
    /// <summary>Characters of one, two, three and four bytes in UTF-8.</summary>
    private const string Odd = "a-ß-漢-😀";

    internal static void AMessage()
    {
        ArrClientOptions options = Service.Options();
        options.MaxRetries = 0;
        using (ArrClient client = new ArrClient(options))
        {
            Service.FaultOfList(Service.Status(
                400, "{\"error\":{\"code\":\"Nein\",\"message\":\"" + Odd + "\"}}", "\"Content-Type\": \"application/json\""));
            ArrException e = Check.Throws<ArrException>(
                () => FrameLoop.Result(client, client.ListSessionsAsync()), "a bad request");
            Check.Contains(Odd, e.Message, "the service's words");
        }
    }

    internal static void ALongMessage()
    {
        using (ArrClient client = Service.NewClient())
        {
            string message = new string('x', 60).Replace("x", Odd);
            RenderingSession session = FrameLoop.Result(client, client.CreateSessionAsync(Service.NewSession()));
            Service.Force(session.Id, "Error", message);
            ArrSessionEndedException e = Check.Throws<ArrSessionEndedException>(
                () => FrameLoop.Result(client, session.WaitUntilReadyAsync()), "a session that fails");
            string cut = e.Properties.Message;
            Check.True(message.StartsWith(cut, StringComparison.Ordinal) && cut.Length > 100, "its beginning: " + cut);
            Check.True(Encoding.UTF8.GetByteCount(cut) <= 511, "it is cut, and between characters");
            Check.Equal(message, session.GetMessage(), "all of it");
        }
    }

    internal static void AJournal()
    {
        ArrClientOptions options = Service.Options();
        options.JournalFolder = Service.Scratch("Tagebuch " + Odd);
        using (ArrClient client = new ArrClient(options))
        {
            client.CreateSession(Service.NewSession());
            Check.Equal(1, Directory.GetFiles(options.JournalFolder).Length, "the journal in the folder of this name");
            client.StopAll();
        }
    }

    internal static void ACaFile()
    {
        ArrClientOptions options = Service.Options();
        options.AccountDomain = options.ServiceEndpoint = Service.Variable("ARR_TLS_URL");
        options.CaFile = Service.Scratch("Zertifikat " + Odd + ".pem");
        File.Copy(Service.Variable("ARR_TLS_CA_FILE"), options.CaFile);
        using (ArrClient client = new ArrClient(options))
        {
            Check.True(FrameLoop.Result(client, client.GetTokenAsync()).Value.Length > 0, "a token over TLS");
        }
        options.CaPem = File.ReadAllText(options.CaFile);
        options.CaFile = null;
        using (ArrClient client = new ArrClient(options))
        {
            Check.True(client.GetToken().Value.Length > 0, "and with the authority as text");
        }
        options.CaPem = null;
        options.CaFile = Service.Scratch("nicht da " + Odd + ".pem");
        ArrException e = Check.Throws<ArrException>(() => new ArrClient(options), "a missing CA file");
        Check.Contains(Odd, e.Message, "its name");
    }

    internal static void AUserAgent()
    {
        ArrClientOptions options = Service.Options();
        options.UserAgentSuffix = "Grüße/1.0";
        ArrException e = Check.Throws<ArrException>(() => new ArrClient(options), "a user agent that is not ASCII");
        Check.Equal(ArrStatus.InvalidArgument, e.Status, "status");
        options.UserAgentSuffix = "Tests/1.0";
        using (ArrClient client = new ArrClient(options))
        {
            client.GetToken();
            Check.Contains("Tests/1.0", Service.Requests(), "the user agent");
        }
    }

    internal static void ASessionId()
    {
        using (ArrClient client = Service.NewClient())
        {
            ArrException e = Check.Throws<ArrException>(() => client.OpenSession(Odd), "an id that is not ASCII");
            Check.Equal(ArrStatus.InvalidArgument, e.Status, "status");
        }
    }

    internal static unsafe void InAndOut()
    {
        using (NativeTexts texts = new NativeTexts())
        {
            foreach (string text in new[] { "", "a", Odd, new string('ü', 5000) })
            {
                byte* native = texts.Add(text, "text");
                int length = Encoding.UTF8.GetByteCount(text);
                Check.True(native[length] == 0, "its NUL");
                Check.Equal(text, Utf8.Decode(native, length + 1), "a text, there and back");
                Check.Equal(text, Utf8.Decode(native, length), "a text that fills its place");
            }
            Check.True(texts.Add(null, "text") == null, "null is NULL");
        }
    }
}
