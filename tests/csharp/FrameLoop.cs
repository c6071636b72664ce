using System;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;
using ArrSession;

/// <summary>What a game's loop does: it pumps until something has come.</summary>
internal static class FrameLoop
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    internal static void Until(ArrClient client, Func<bool> condition, string what)
    {
        Stopwatch waited = Stopwatch.StartNew();
        while (!condition())
        {
            if (waited.Elapsed > Patience)
            {
                throw new CheckFailed("it never came: " + what);
            }
            if (client.Pump() == 0)
            {
                Thread.Sleep(1);
            }
        }
    }

    /// <summary>The same without a pump: another thread brings it, or the emulator has to show it.</summary>
    internal static void Until(Func<bool> condition, string what)
    {
        Stopwatch waited = Stopwatch.StartNew();
        while (!condition())
        {
            if (waited.Elapsed > Patience)
            {
                throw new CheckFailed("it never came: " + what);
            }
            Thread.Sleep(2);
        }
    }

    /// <summary>Pumps until the task has ended, however, and throws what it throws.</summary>
    internal static T Result<T>(ArrClient client, Task<T> task)
    {
        Until(client, () => task.IsCompleted, "the end of a task");
        return task.GetAwaiter().GetResult();
    }

    internal static void Run(ArrClient client, Task task)
    {
        Until(client, () => task.IsCompleted, "the end of a task");
        task.GetAwaiter().GetResult();
    }

    /// <summary>A session that is ready.</summary>
    internal static RenderingSession ReadySession(ArrClient client)
    {
        RenderingSession session = Result(client, client.CreateSessionAsync(Service.NewSession()));
        Result(client, session.WaitUntilReadyAsync());
        return session;
    }
}
