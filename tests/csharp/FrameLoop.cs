using System;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;
using ArrSession;

/// <summary>A game's loop: pumps until a condition holds.</summary>
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
                throw new CheckFailed("timed out waiting for: " + what);
            }
            if (client.Pump() == 0)
            {
                Thread.Sleep(1);
            }
        }
    }

    /// <summary>Waits without pumping, for another thread or the emulator.</summary>
    internal static void Until(Func<bool> condition, string what)
    {
        Stopwatch waited = Stopwatch.StartNew();
        while (!condition())
        {
            if (waited.Elapsed > Patience)
            {
                throw new CheckFailed("timed out waiting for: " + what);
            }
            Thread.Sleep(2);
        }
    }

    /// <summary>Pumps until the task has ended, and throws what it threw.</summary>
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

    /// <summary>A ready session.</summary>
    internal static RenderingSession ReadySession(ArrClient client)
    {
        RenderingSession session = Result(client, client.CreateSessionAsync(Service.NewSession()));
        Result(client, session.WaitUntilReadyAsync());
        return session;
    }
}
